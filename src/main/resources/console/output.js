// The output of a job: as it is printed, or what is kept of an attempt that has ended. What is printed is only ever text.
(() => {
  'use strict';
  const panel = document.getElementById('output');
  if (!panel) return;
  const base = panel.dataset.base;
  const lines = document.getElementById('log-lines');
  const none = document.getElementById('log-none');
  const note = document.getElementById('log-cut');
  const find = document.getElementById('log-find');
  const found = document.getElementById('log-found');
  const label = document.getElementById('log-attempt');
  const followButton = document.getElementById('log-follow');
  const timesButton = document.getElementById('log-times');
  const MOST_WAITING = 8 * 1024 * 1024; // characters that wait to be drawn; older ones are left out
  const SLICE = 16 * 1024; // characters of one step
  const STEP_MILLIS = 10;
  const SEARCH_MILLIS = 400;
  const AGAIN_MILLIS = 4000;
  const { NAMES, size, grouped, bytesOf } = window.ErrandKept;

  // Where lines were dropped, at either end.
  const marker = (label, act) => {
    const bar = document.createElement('div');
    bar.className = 'dropped';
    bar.hidden = true;
    const text = document.createElement('span');
    const button = document.createElement('button');
    button.type = 'button';
    button.textContent = label;
    button.addEventListener('click', act);
    bar.append(text, ' ', button);
    return { bar, text, button };
  };
  const earlier = marker('Load earlier lines', () => loadEarlier());
  const later = marker('Show the end', () => showAttempt(attempt, true));
  const log = new window.ErrandLog(lines, earlier.bar, later.bar);
  log.idOf = (line) => `a${attempt}-${line.name}-${line.at}`;

  let attempt = Number(panel.dataset.attempt);
  let source = null;
  let number = 0;
  let waiting = [];
  let waitingSize = 0;
  let isDrawing = false;
  let streams = {};
  let dropped = {}; // what is no longer in the page before its first line, by stream: from, to
  let droppedLines = 0;
  let kept = null; // both streams of an attempt that has ended
  let hasEnded = false; // the attempt that is shown
  let isLoading = false;
  let target = null; // the line of the link

  const reset = (next) => {
    attempt = next;
    log.reset();
    number = droppedLines = waitingSize = 0;
    waiting = [];
    dropped = {};
    kept = null;
    hasEnded = false;
    streams = {};
    for (const name of NAMES) streams[name] = { terminal: new window.ErrandTerminal(), open: null, offset: 0, lineAt: 0 };
    lines.hidden = earlier.bar.hidden = later.bar.hidden = true;
    none.hidden = false;
    note.hidden = true;
    label.textContent = next > 0 ? `attempt ${next}` : '';
    for (const [id, name] of [['raw-out', 'stdout'], ['raw-err', 'stderr']]) {
      document.getElementById(id).href = `${base}/output?stream=${name}${next > 0 ? `&attempt=${next}` : ''}`;
    }
  };
  const say = (text) => {
    note.textContent = text;
    note.hidden = !text;
  };

  // What the page holds is bounded: the oldest lines go, and a bar says so.
  const bound = () => {
    for (const line of log.drop(false)) {
      if (!line.gap) droppedLines++;
      const range = (dropped[line.name] ??= { from: line.at, to: line.at });
      range.to = line.end ?? streams[line.name].offset;
      if (streams[line.name].open === line) streams[line.name].open = null;
    }
    showDropped();
  };
  const showDropped = () => {
    const parts = NAMES.filter((name) => dropped[name]).map(
      (name) => `bytes ${grouped(dropped[name].from)} to ${grouped(dropped[name].to)} of ${name}`,
    );
    earlier.bar.hidden = parts.length === 0;
    if (parts.length === 0) return;
    earlier.button.hidden = !hasEnded;
    earlier.text.textContent =
      `\u22ef ${grouped(droppedLines)} earlier lines are no longer in this page (${parts.join(', ')}).` +
      (hasEnded ? '' : ' What the server keeps of them can be read once the attempt has ended.');
  };

  const draw = (one) => {
    const { name, offset, text } = one;
    const stream = streams[name];
    if (offset > stream.offset) drawGap(name, stream.offset, offset, 'were left out, as they came faster than they can be drawn');
    const isWhole = one.bytes !== undefined; // at most one line, of so many bytes
    let at = offset;
    let from = 0;
    stream.terminal.write(text, (pieces, isEnded) => {
      const all = pieces.length === 1 && !pieces[0].style ? pieces[0].text : pieces;
      if (stream.open) log.change(stream.open, all);
      else {
        stream.open = { name, number: ++number, at: stream.lineAt, pieces: all, time: one.time };
        log.add(stream.open);
      }
      if (isEnded) {
        const end = text.indexOf('\n', from) + 1;
        at += isWhole ? one.bytes : bytesOf(text.slice(from, end));
        from = end;
        stream.open.end = stream.lineAt = at;
        stream.open = null;
      }
    });
    stream.offset = offset + (isWhole ? one.bytes : bytesOf(text));
  };
  const drawGap = (name, from, to, why = 'are not kept') => {
    const stream = streams[name];
    const pieces = `${size(to - from)} of ${name} ${why} (bytes ${grouped(from)} to ${grouped(to)})`;
    log.add({ name, gap: true, at: from, end: to, pieces });
    stream.offset = stream.lineAt = to;
    if (stream.open) stream.open.end = from;
    stream.open = null;
    stream.terminal = new window.ErrandTerminal();
  };

  let searched = 0;
  const step = () => {
    const end = performance.now() + STEP_MILLIS;
    while (waiting.length > 0 && performance.now() < end) {
      const one = waiting.shift();
      waitingSize -= one.text ? one.text.length : 0;
      if (one.gap) drawGap(one.name, one.from, one.to);
      else draw(one);
    }
    bound();
    lines.hidden = log.count === 0;
    none.hidden = log.count > 0;
    lines.style.setProperty('--digits', String(number).length);
    log.render();
    isDrawing = waiting.length > 0;
    if (target) lookForTarget();
    if (isDrawing) setTimeout(step, 6);
    if (find.value && (!isDrawing || performance.now() - searched > SEARCH_MILLIS)) search();
  };
  const enqueue = (one) => {
    waiting.push(one);
    waitingSize += one.text ? one.text.length : 0;
    while (waitingSize > MOST_WAITING && waiting.length > 1) waitingSize -= waiting.shift().text?.length ?? 0;
    if (!isDrawing) {
      isDrawing = true;
      setTimeout(step, 0);
    }
  };
  const addText = (name, offset, text, time) => {
    let at = offset;
    for (let from = 0; from < text.length; ) {
      let to = Math.min(text.length, from + SLICE);
      if (to < text.length && /[\ud800-\udbff]/.test(text[to - 1])) to--;
      const part = text.slice(from, to);
      enqueue({ name, offset: at, text: part, time });
      at += bytesOf(part);
      from = to;
    }
  };
  // Bytes that are no valid text have other offsets than what is shown for them, so they go line by line.
  const addBytes = (name, offset, bytes, time) => {
    const text = new TextDecoder().decode(bytes);
    if (bytesOf(text) === bytes.length) {
      addText(name, offset, text, time);
      return;
    }
    for (let from = 0; from < bytes.length; ) {
      const newline = bytes.indexOf(10, from);
      const to = newline < 0 ? bytes.length : newline + 1;
      enqueue({ name, offset: offset + from, text: new TextDecoder().decode(bytes.subarray(from, to)), bytes: to - from, time });
      from = to;
    }
  };

  // Live.
  const stale = (isStale) => document.dispatchEvent(new CustomEvent('errand:stale', { detail: isStale }));
  const refresh = () => {
    const job = document.getElementById('job');
    if (job && window.htmx) window.htmx.trigger(job, 'refresh');
  };
  const watch = () => {
    reset(attempt);
    connect(false);
  };
  // A stream that was refused begins anew; one that was cut goes on where it was, by itself.
  const connect = (isAgain) => {
    source?.close();
    const opened = new EventSource(`${base}/output/stream`);
    source = opened;
    let isFirst = isAgain;
    source.onopen = () => {
      if (isFirst) reset(attempt);
      isFirst = false;
      stale(false);
    };
    source.onerror = () => {
      if (opened.readyState === EventSource.CLOSED) {
        refresh(); // who is signed out is asked to sign in
        setTimeout(() => opened === source && connect(true), AGAIN_MILLIS);
      }
      stale(true);
    };
    for (const name of NAMES) {
      source.addEventListener(name, (event) => {
        const data = JSON.parse(event.data);
        if (data.attempt !== attempt) reset(data.attempt);
        if (!data.base64) addText(name, data.offset, data.text, data.sent_at);
        else addBytes(name, data.offset, Uint8Array.from(atob(data.base64), (c) => c.charCodeAt(0)), data.sent_at);
      });
    }
    source.addEventListener('gap', (event) => {
      const data = JSON.parse(event.data);
      const of = parseInt(event.lastEventId, 10);
      if (of !== attempt) reset(of);
      enqueue({ gap: true, name: data.stream, from: data.from, to: data.to });
    });
    let last = '';
    source.addEventListener('state', (event) => {
      const data = JSON.parse(event.data);
      const now = `${data.state} ${data.attempt}`;
      if (last && now !== last) refresh();
      last = now;
      if (data.state !== 'running') hasEnded = data.attempt === attempt;
      none.textContent = data.state === 'running' ? 'Nothing printed so far.' : none.textContent;
    });
    source.addEventListener('end', () => {
      source.close();
      stale(false);
      hasEnded = true;
      none.textContent = 'It has printed nothing.';
      showDropped();
      if (target && !isDrawing) lookForTarget();
      if (panel.dataset.final !== 'true') {
        panel.dataset.final = 'true';
        document.getElementById('processes')?.remove();
        refresh();
      }
    });
  };

  // What is kept of an attempt that has ended.
  const readKept = async () => {
    const wanted = attempt;
    const read = await window.ErrandKept.read(base, wanted);
    return attempt === wanted ? read : null;
  };
  const showAttempt = async (wanted, atEnd) => {
    source?.close();
    source = null;
    reset(wanted);
    log.follow(Boolean(atEnd));
    const read = await readKept();
    if (!read) return;
    kept = read;
    hasEnded = true;
    for (const name of NAMES) {
      const { bytes, head, lost } = read[name];
      addBytes(name, 0, bytes.subarray(0, head));
      if (lost > 0) enqueue({ gap: true, name, from: head, to: head + lost });
      addBytes(name, head + lost, bytes.subarray(head));
    }
    none.textContent = 'It has printed nothing.';
    if (target && !isDrawing) lookForTarget();
  };

  // The lines before the first one, from what the server keeps; between both streams their order is not kept.
  const loadEarlier = async () => {
    if (isLoading || !hasEnded || earlier.bar.hidden) return false;
    isLoading = true;
    try {
      kept ??= await readKept();
      const name = kept && ['stderr', 'stdout'].find((one) => dropped[one]);
      if (!name) return false;
      const loaded = window.ErrandKept.linesBefore(name, kept[name], dropped[name]);
      const first = loaded.length > 0 ? loaded[0].at : dropped[name].from;
      if (first <= dropped[name].from) delete dropped[name];
      else dropped[name].to = first;
      const count = loaded.filter((line) => !line.gap).length;
      let next = Math.max(1, droppedLines - count + 1);
      for (const line of loaded) if (!line.gap) line.number = next++;
      droppedLines = Math.max(0, droppedLines - count);
      log.follow(false);
      showDropped();
      log.prepend(loaded);
      const cut = log.drop(true);
      log.render();
      if (cut.length > 0) {
        for (const one of NAMES) if (streams[one].open && !streams[one].open.chunk) streams[one].open = null;
        later.bar.hidden = false;
        later.text.textContent = 'Later lines are no longer in this page. \u22ef';
      }
      if (find.value) search();
      return true;
    } finally {
      isLoading = false;
    }
  };
  log.onScroll = (top) => {
    if (top < 40 && !log.isFollowing && !isDrawing) loadEarlier();
  };
  document.addEventListener('click', (event) => {
    const button = event.target.closest?.('[data-attempt]');
    if (button && button.tagName === 'BUTTON') {
      showAttempt(Number(button.dataset.attempt));
      panel.scrollIntoView({ block: 'start' });
    }
  });

  // Following, streams, times, search.
  log.onFollow = (on) => followButton.setAttribute('aria-pressed', String(on));
  const follow = (on) => (on && !later.bar.hidden ? showAttempt(attempt, true) : log.follow(on));
  followButton.addEventListener('click', () => follow(!log.isFollowing));
  document.addEventListener('keydown', (event) => {
    if (event.key === 'f' && !event.ctrlKey && !event.metaKey && !event.target.closest?.('input, textarea, select')) follow(!log.isFollowing);
  });
  for (const button of panel.querySelectorAll('[data-show]')) {
    button.addEventListener('click', () => {
      for (const other of panel.querySelectorAll('[data-show]')) other.setAttribute('aria-pressed', String(other === button));
      log.show(button.dataset.show === 'all' ? '' : button.dataset.show);
      if (find.value) search();
    });
  }
  const timeText = (text) => {
    const date = new Date(text);
    if (document.getElementById('zone')?.textContent !== 'Local') return date.toISOString().slice(11, 21);
    return `${date.toLocaleTimeString('en-GB')}.${Math.floor(date.getMilliseconds() / 100)}`;
  };
  const showTimes = () => {
    const on = timesButton.getAttribute('aria-pressed') === 'true';
    lines.classList.toggle('timed', on);
    log.showTimes(on ? timeText : null);
    say(on ? 'Times tell when the worker passed a line on while it was watched, to a tenth of a second. Output that is read from what is kept has none.' : '');
  };
  timesButton.addEventListener('click', () => {
    timesButton.setAttribute('aria-pressed', String(timesButton.getAttribute('aria-pressed') !== 'true'));
    showTimes();
  });
  document.getElementById('zone')?.addEventListener('click', () => lines.classList.contains('timed') && setTimeout(showTimes, 0));
  const search = () => {
    searched = performance.now();
    const hits = log.find(find.value);
    found.textContent = find.value ? `${grouped(hits)} ${hits === 1 ? 'line' : 'lines'}${droppedLines > 0 ? ' in this page' : ''}` : '';
  };
  let pause = 0;
  find.addEventListener('input', () => {
    clearTimeout(pause);
    pause = setTimeout(search, 150);
  });
  find.addEventListener('keydown', (event) => {
    if (event.key !== 'Enter') return;
    log.step(event.shiftKey);
    event.preventDefault();
  });

  // A link to a line names the attempt, the stream, and the byte that the line begins with.
  const lookForTarget = async () => {
    if (hasEnded ? isDrawing : panel.dataset.final === 'true') return; // lines that are still to come would push it out
    for (let tries = 0; target && tries < 100; tries++) {
      const line = log.lineAt(target.name, target.offset);
      if (line) {
        target = null;
        log.goTo(line);
        return;
      }
      if (!hasEnded || isDrawing || isLoading) return;
      if (!(await loadEarlier())) break;
    }
    if (target) say(`Byte ${grouped(target.offset)} of ${target.name}, which the link names, is not kept.`);
    target = null;
  };
  const readTarget = () => {
    const named = /^#a(\d{1,9})-(stdout|stderr)-(\d{1,15})$/.exec(location.hash);
    target = named ? { attempt: Number(named[1]), name: named[2], offset: Number(named[3]) } : null;
    if (target) log.follow(false);
    return target;
  };
  addEventListener('hashchange', () => {
    if (!readTarget()) return;
    if (target.attempt === attempt) lookForTarget();
    else showAttempt(target.attempt);
  });
  if (readTarget() && target.attempt !== attempt) showAttempt(target.attempt);
  else watch();
})();
