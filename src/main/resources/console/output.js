// The output of a job: as it is printed, or what is kept of an attempt that has ended. What is printed is only ever text.
(() => {
  'use strict';
  const panel = document.getElementById('output');
  if (!panel) return;
  const base = panel.dataset.base;
  const lines = document.getElementById('log-lines');
  const none = document.getElementById('log-none');
  const cut = document.getElementById('log-cut');
  const follow = document.getElementById('log-follow');
  const find = document.getElementById('log-find');
  const found = document.getElementById('log-found');
  const label = document.getElementById('log-attempt');
  const MOST_CHARACTERS = 2 * 1024 * 1024; // that are kept in the page
  const MOST_LINES = 20000;
  const CHUNK_LINES = 200; // lines are laid out by the chunk, and only where they are seen
  const MOST_WAITING = 8 * 1024 * 1024; // characters that wait to be drawn; older ones are left out
  const SLICE = 32 * 1024; // characters of one step
  const STEP_MILLIS = 12;

  let attempt = Number(panel.dataset.attempt);
  let isFollowing = true;
  let source = null;
  let chunk = null;
  let kept = 0;
  let count = 0;
  let dropped = 0;
  let number = 0;
  let waiting = [];
  let waitingSize = 0;
  let isDrawing = false;
  let streams = {};

  const size = (bytes) => {
    const units = ['B', 'KiB', 'MiB', 'GiB', 'TiB'];
    let n = bytes;
    let unit = 0;
    while (n >= 1024 && unit < units.length - 1) {
      n /= 1024;
      unit++;
    }
    return `${unit === 0 || n >= 10 ? Math.round(n) : n.toFixed(1)} ${units[unit]}`;
  };
  const bytesOf = (text) => new TextEncoder().encode(text).length;

  const reset = (next) => {
    attempt = next;
    lines.replaceChildren();
    chunk = null;
    kept = count = dropped = number = waitingSize = 0;
    waiting = [];
    streams = {};
    for (const name of ['stdout', 'stderr']) {
      streams[name] = { terminal: new window.ErrandTerminal(), open: null, offset: 0, lineAt: 0 };
    }
    cut.hidden = true;
    none.hidden = false;
    label.textContent = next > 0 ? `attempt ${next}` : '';
    for (const [id, name] of [['raw-out', 'stdout'], ['raw-err', 'stderr']]) {
      document.getElementById(id).href = `${base}/output?stream=${name}${next > 0 ? `&attempt=${next}` : ''}`;
    }
  };

  // One more line at the end. Its parts are text in elements whose classes are ours.
  const addRow = (className, mark, id) => {
    if (!chunk || chunk.childElementCount >= CHUNK_LINES) {
      chunk = document.createElement('div');
      chunk.className = 'chunk';
      lines.append(chunk);
    }
    const row = document.createElement('div');
    row.className = className;
    const anchor = document.createElement('a');
    anchor.className = 'no';
    anchor.textContent = mark;
    if (id) {
      row.id = id;
      anchor.href = `#${id}`;
    }
    const text = document.createElement('span');
    text.className = 'tx';
    row.append(anchor, text);
    chunk.append(row);
    count++;
    none.hidden = true;
    return { row, text, length: 0 };
  };
  const fill = (line, pieces) => {
    let length = 0;
    const parts = pieces.map((piece) => {
      length += piece.text.length;
      if (!piece.style) return document.createTextNode(piece.text);
      const span = document.createElement('span');
      span.className = piece.style;
      span.textContent = piece.text;
      return span;
    });
    line.text.replaceChildren(...parts);
    kept += length - line.length;
    line.length = length;
    line.row.dataset.length = length;
  };
  const bound = () => {
    while ((kept > MOST_CHARACTERS || count > MOST_LINES) && lines.childElementCount > 1) {
      const first = lines.firstElementChild;
      for (const row of first.children) kept -= Number(row.dataset.length || 0);
      count -= first.childElementCount;
      dropped += first.childElementCount;
      first.remove();
    }
    for (const stream of Object.values(streams)) {
      if (stream.open && !stream.open.row.isConnected) stream.open = null;
    }
    if (dropped > 0) {
      cut.hidden = false;
      cut.textContent = `${dropped.toLocaleString('en')} earlier lines are not kept in this page; the raw download has what the server keeps.`;
    }
  };

  const draw = (name, offset, text) => {
    const stream = streams[name];
    if (offset !== stream.offset) stream.lineAt = offset; // what was between was left out
    stream.offset = offset;
    const parts = text.split('\n');
    let part = 0;
    let at = stream.offset;
    stream.terminal.write(text, (pieces, isEnded) => {
      if (!stream.open) {
        number++;
        stream.open = addRow(`line ${name}`, String(number), `a${attempt}-${name}-${stream.lineAt}`);
      }
      fill(stream.open, pieces);
      if (isEnded) {
        at += bytesOf(parts[part]) + 1;
        part++;
        stream.lineAt = at;
        stream.open = null;
      }
    });
    stream.offset += bytesOf(text);
  };
  const drawGap = (name, from, to) => {
    const line = addRow('line gap', '\u22ef');
    line.text.textContent = `${size(to - from)} of ${name} are not kept (bytes ${from.toLocaleString('en')} to ${to.toLocaleString('en')})`;
    const stream = streams[name];
    stream.offset = stream.lineAt = to;
    stream.open = null;
    stream.terminal = new window.ErrandTerminal();
  };

  const step = () => {
    const end = performance.now() + STEP_MILLIS;
    while (waiting.length > 0 && performance.now() < end) {
      const one = waiting.shift();
      waitingSize -= one.text ? one.text.length : 0;
      if (one.gap) drawGap(one.name, one.from, one.to);
      else draw(one.name, one.offset, one.text);
    }
    bound();
    if (isFollowing) lines.scrollTop = lines.scrollHeight;
    isDrawing = waiting.length > 0;
    if (isDrawing) setTimeout(step, 4);
    else if (find.value) search();
  };
  const later = (one) => {
    waiting.push(one);
    waitingSize += one.text ? one.text.length : 0;
    while (waitingSize > MOST_WAITING && waiting.length > 1) {
      waitingSize -= waiting.shift().text?.length ?? 0; // would leave the page at once
    }
    if (!isDrawing) {
      isDrawing = true;
      setTimeout(step, 0);
    }
  };
  const addText = (name, offset, text) => {
    let at = offset;
    for (let from = 0; from < text.length; ) {
      let to = Math.min(text.length, from + SLICE);
      if (to < text.length && /[\ud800-\udbff]/.test(text[to - 1])) to--;
      const part = text.slice(from, to);
      later({ name, offset: at, text: part });
      at += bytesOf(part);
      from = to;
    }
  };

  // Live.
  const stale = (isStale) =>
    document.dispatchEvent(new CustomEvent('errand:stale', { detail: isStale }));
  const refresh = () => {
    const job = document.getElementById('job');
    if (job && window.htmx) window.htmx.trigger(job, 'refresh');
  };
  const watch = () => {
    source?.close();
    reset(attempt);
    source = new EventSource(`${base}/output/stream`);
    source.onopen = () => stale(false);
    source.onerror = () => {
      if (source.readyState === EventSource.CLOSED) refresh(); // who is signed out is asked to sign in
      stale(true);
    };
    for (const name of ['stdout', 'stderr']) {
      source.addEventListener(name, (event) => {
        const data = JSON.parse(event.data);
        if (data.attempt !== attempt) reset(data.attempt);
        addText(name, data.offset, data.text);
      });
    }
    source.addEventListener('gap', (event) => {
      const data = JSON.parse(event.data);
      later({ gap: true, name: data.stream, from: data.from, to: data.to });
    });
    let last = '';
    source.addEventListener('state', (event) => {
      const data = JSON.parse(event.data);
      const now = `${data.state} ${data.attempt}`;
      if (last && now !== last) refresh();
      last = now;
      none.textContent = data.state === 'running' ? 'Nothing printed so far.' : none.textContent;
    });
    source.addEventListener('end', () => {
      source.close();
      stale(false);
      none.textContent = 'It has printed nothing.';
      if (panel.dataset.final !== 'true') {
        panel.dataset.final = 'true';
        document.getElementById('processes')?.remove();
        refresh();
      }
    });
  };

  // What is kept of an attempt that has ended.
  const showAttempt = async (wanted) => {
    source?.close();
    reset(wanted);
    follow.setAttribute('aria-pressed', 'false');
    isFollowing = false;
    for (const name of ['stdout', 'stderr']) {
      const answer = await fetch(`${base}/output?stream=${name}&attempt=${wanted}`);
      if (!answer.ok || attempt !== wanted) return;
      const bytes = new Uint8Array(await answer.arrayBuffer());
      const head = Number(answer.headers.get('Errand-Head-Bytes'));
      const lost = Number(answer.headers.get('Errand-Dropped-Bytes'));
      const text = (part) => new TextDecoder().decode(part);
      if (lost > 0) {
        addText(name, 0, text(bytes.subarray(0, head)));
        later({ gap: true, name, from: head, to: head + lost });
        addText(name, head + lost, text(bytes.subarray(head)));
      } else if (bytes.length > 0) addText(name, 0, text(bytes));
    }
    none.textContent = 'It has printed nothing.';
  };
  document.addEventListener('click', (event) => {
    const button = event.target.closest?.('[data-attempt]');
    if (button && button.tagName === 'BUTTON') {
      showAttempt(Number(button.dataset.attempt));
      panel.scrollIntoView({ block: 'start' });
    }
  });

  // Following, streams, search.
  const setFollow = (on) => {
    isFollowing = on;
    follow.setAttribute('aria-pressed', String(on));
    if (on) lines.scrollTop = lines.scrollHeight;
  };
  follow.addEventListener('click', () => setFollow(!isFollowing));
  let lastTop = 0;
  lines.addEventListener('scroll', () => {
    const atEnd = lines.scrollTop + lines.clientHeight >= lines.scrollHeight - 4;
    if (lines.scrollTop < lastTop - 2 && !atEnd) setFollow(false);
    else if (atEnd && !isFollowing && lines.scrollTop > lastTop) setFollow(true);
    lastTop = lines.scrollTop;
  });
  document.addEventListener('keydown', (event) => {
    if (event.key === 'f' && !event.ctrlKey && !event.metaKey && !event.target.closest?.('input, textarea')) {
      setFollow(!isFollowing);
    }
  });
  for (const button of panel.querySelectorAll('[data-show]')) {
    button.addEventListener('click', () => {
      for (const other of panel.querySelectorAll('[data-show]')) {
        other.setAttribute('aria-pressed', String(other === button));
      }
      lines.classList.toggle('no-stderr', button.dataset.show === 'stdout');
      lines.classList.toggle('no-stdout', button.dataset.show === 'stderr');
      if (isFollowing) lines.scrollTop = lines.scrollHeight;
    });
  }
  let hit = -1;
  const search = () => {
    const wanted = find.value.toLowerCase();
    let hits = 0;
    for (const row of lines.querySelectorAll('.line')) {
      const is = wanted !== '' && row.lastElementChild.textContent.toLowerCase().includes(wanted);
      row.classList.toggle('hit', is);
      if (is) hits++;
    }
    found.textContent = wanted ? `${hits.toLocaleString('en')} ${hits === 1 ? 'line' : 'lines'}` : '';
  };
  let pause = 0;
  find.addEventListener('input', () => {
    clearTimeout(pause);
    hit = -1;
    pause = setTimeout(search, 150);
  });
  find.addEventListener('keydown', (event) => {
    if (event.key !== 'Enter') return;
    const hits = lines.querySelectorAll('.hit');
    if (hits.length === 0) return;
    hit = (hit + (event.shiftKey ? hits.length - 1 : 1)) % hits.length;
    setFollow(false);
    lines.querySelector('.at')?.classList.remove('at');
    hits[hit].classList.add('at');
    hits[hit].scrollIntoView({ block: 'center' });
    event.preventDefault();
  });

  // A link to a line names the attempt, the stream, and the byte that the line begins with.
  const target = /^#a(\d+)-(stdout|stderr)-(\d+)$/.exec(location.hash);
  if (target) {
    isFollowing = false;
    follow.setAttribute('aria-pressed', 'false');
    let tries = 0;
    const look = setInterval(() => {
      const row = document.getElementById(location.hash.slice(1));
      if (row) {
        row.classList.add('at');
        row.scrollIntoView({ block: 'center' });
      }
      if (row || ++tries > 100) clearInterval(look);
    }, 100);
  }

  // Its processes, while it runs.
  const processes = document.getElementById('processes');
  const showProcesses = async () => {
    if (!processes?.isConnected || document.hidden) return;
    const answer = await fetch(processes.dataset.url).catch(() => null);
    if (!answer?.ok || answer.status === 204) return;
    const all = (await answer.json()).processes;
    const ids = new Set(all.map((one) => one.pid));
    const rows = [];
    const add = (one, depth) => {
      if (depth > 20 || rows.length > 200) return;
      const row = document.createElement('tr');
      const words = Array.isArray(one.command) ? one.command.join(' ') : String(one.command);
      const texts = [
        '\u2003'.repeat(depth) + (depth ? '\u2514 ' : '') + words.slice(0, 300),
        one.pid,
        one.state,
        one.cpu_seconds == null ? '' : `${one.cpu_seconds.toFixed(2)} s`,
        one.memory_bytes == null ? '' : size(one.memory_bytes),
      ];
      texts.forEach((text, i) => {
        const cell = document.createElement('td');
        if (i === 1 || i > 2) cell.className = 'num';
        if (i === 0) cell.className = 'mono';
        cell.textContent = String(text ?? '');
        row.append(cell);
      });
      rows.push(row);
      for (const child of all) if (child.parent_pid === one.pid && child !== one) add(child, depth + 1);
    };
    for (const one of all) if (!ids.has(one.parent_pid)) add(one, 0);
    processes.querySelector('tbody').replaceChildren(...rows);
  };
  if (processes) {
    showProcesses();
    setInterval(showProcesses, 3000);
  }

  if (target && Number(target[1]) !== attempt) {
    showAttempt(Number(target[1]));
  } else watch();
})();
