// What all pages do: times, theme, keyboard, lists that stay fresh. Pages work without it.
(() => {
  'use strict';
  const root = document.body.dataset.root;
  const csrf = document.body.dataset.csrf;
  const stored = (name) => {
    try {
      return localStorage.getItem(name);
    } catch {
      return null;
    }
  };
  const store = (name, value) => {
    try {
      localStorage.setItem(name, value);
    } catch {
      // Then it lasts as long as the page.
    }
  };

  // Times: relative ones grow, absolute ones are in UTC or in the zone of the viewer.
  let zone = stored('errand-zone') === 'local' ? 'local' : 'UTC';
  const two = (n) => String(n).padStart(2, '0');
  const absolute = (date) => {
    if (zone === 'UTC') {
      return date.toISOString().slice(0, 19).replace('T', ' ') + ' UTC';
    }
    const name = date
      .toLocaleTimeString('en-GB', { timeZoneName: 'short' })
      .split(' ')
      .slice(1)
      .join(' ');
    return `${date.getFullYear()}-${two(date.getMonth() + 1)}-${two(date.getDate())} ${two(date.getHours())}:${two(date.getMinutes())}:${two(date.getSeconds())} ${name}`;
  };
  const unit = (seconds) => {
    if (seconds < 60) return `${seconds} s`;
    if (seconds < 3600) return `${Math.floor(seconds / 60)} min`;
    return seconds < 172800
      ? `${Math.floor(seconds / 3600)} h`
      : `${Math.floor(seconds / 86400)} d`;
  };
  const ago = (date) => {
    const seconds = Math.trunc((Date.now() - date.getTime()) / 1000);
    return seconds < 0 ? `in ${unit(-seconds)}` : `${unit(seconds)} ago`;
  };
  const showTimes = () => {
    for (const element of document.querySelectorAll('time[datetime]')) {
      const date = new Date(element.dateTime);
      if (Number.isNaN(date.getTime())) continue;
      const text = 'ago' in element.dataset ? ago(date) : absolute(date);
      if (element.textContent !== text) element.textContent = text;
      element.title = absolute(date);
    }
    const button = document.getElementById('zone');
    if (button) button.textContent = zone === 'UTC' ? 'UTC' : 'Local';
  };
  document.getElementById('zone')?.addEventListener('click', () => {
    zone = zone === 'UTC' ? 'local' : 'UTC';
    store('errand-zone', zone);
    showTimes();
  });
  setInterval(showTimes, 5000);

  document.getElementById('theme')?.addEventListener('click', () => {
    const dark =
      document.documentElement.dataset.theme === 'dark' ||
      (!document.documentElement.dataset.theme &&
        matchMedia('(prefers-color-scheme: dark)').matches);
    document.documentElement.dataset.theme = dark ? 'light' : 'dark';
    store('errand-theme', document.documentElement.dataset.theme);
  });

  // A form that is sent at once, and those that ask first.
  document.querySelector('form[data-send]')?.requestSubmit();
  document.addEventListener('submit', (event) => {
    const question = event.submitter?.dataset.confirm ?? event.target.dataset.confirm;
    if (question && !confirm(question)) event.preventDefault();
  });

  // Requests of ours carry the token of the session; whoever is signed out is asked to sign in.
  document.addEventListener('htmx:configRequest', (event) => {
    event.detail.headers['Errand-CSRF'] = csrf;
    event.detail.headers['Errand-Page-Project'] = document.body.dataset.project;
  });
  document.addEventListener('htmx:responseError', (event) => {
    if (event.detail.xhr.status === 401) location.assign(`${root}/login`);
    else setStale(true);
  });
  const setStale = (isStale) => {
    const sign = document.getElementById('stale');
    if (sign) sign.hidden = !isStale;
    document.body.classList.toggle('is-stale', isStale);
  };
  document.addEventListener('errand:stale', (event) => setStale(event.detail));
  for (const name of ['htmx:sendError', 'htmx:timeout']) {
    document.addEventListener(name, () => setStale(true));
  }
  document.addEventListener('htmx:afterRequest', (event) => {
    if (event.detail.successful) setStale(false);
  });

  // What is live is read again, but not under the hands of the viewer.
  const REFRESH_MILLIS = 4000;
  setInterval(() => {
    if (document.hidden || document.querySelector('dialog[open]')) return;
    for (const live of document.querySelectorAll('[data-live]')) {
      const isBusy =
        live.querySelector('input[type=checkbox]:checked') ||
        live.querySelector('details[open]') ||
        (getSelection().type === 'Range' && live.contains(getSelection().anchorNode));
      if (!isBusy && window.htmx) window.htmx.trigger(live, 'refresh');
    }
  }, REFRESH_MILLIS);

  // A page that could not be made is asked for until it can be.
  const AGAIN_MILLIS = 4000;
  const askAgain = async () => {
    const answer = document.hidden ? null : await fetch(location.href, { redirect: 'manual' }).catch(() => null);
    if (answer && answer.status !== 503) location.reload();
    else setTimeout(askAgain, AGAIN_MILLIS);
  };
  if (document.querySelector('#fault[data-again]')) setTimeout(askAgain, AGAIN_MILLIS);

  // Lists: rows that are selected, and the row of the keyboard.
  let current = -1;
  const rows = () => [...document.querySelectorAll('[data-row]')];
  const mark = () => {
    const all = rows();
    current = Math.min(current, all.length - 1);
    all.forEach((row, i) => row.classList.toggle('current', i === current));
    all[current]?.scrollIntoView({ block: 'nearest' });
  };
  const count = () => {
    const bar = document.getElementById('bulk');
    if (!bar) return;
    const boxes = [...document.querySelectorAll('input[name=id]')];
    const picked = boxes.filter((box) => box.checked).length;
    bar.classList.toggle('some', picked > 0);
    const text = document.getElementById('picked');
    if (text) text.textContent = picked ? `${picked} selected` : '';
    const all = document.getElementById('pick-all');
    if (all) {
      all.checked = picked > 0 && picked === boxes.length;
      all.indeterminate = picked > 0 && picked < boxes.length;
    }
  };
  document.addEventListener('change', (event) => {
    if (event.target.id === 'pick-all') {
      for (const box of document.querySelectorAll('input[name=id]')) {
        box.checked = event.target.checked;
      }
    }
    count();
  });
  document.addEventListener('htmx:afterSettle', () => {
    showTimes();
    mark();
    count();
  });

  // Keyboard.
  let going = false;
  document.getElementById('help')?.addEventListener('click', () => {
    document.getElementById('keys').showModal();
  });
  document.addEventListener('keydown', (event) => {
    const typing = event.target.closest?.('input:not([type=checkbox]), textarea, select, dialog');
    if ((event.ctrlKey || event.metaKey) && event.key === 'k') {
      openPalette();
      event.preventDefault();
      return;
    }
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    if (typing) {
      if (event.key === 'Escape') event.target.blur();
      return;
    }
    if (going) {
      going = false;
      const link = document.querySelector(`[data-go="${CSS.escape(event.key)}"]`);
      if (link) {
        link.click();
        event.preventDefault();
      }
      return;
    }
    const row = rows()[current];
    switch (event.key) {
      case '/':
        document.getElementById('find')?.focus();
        break;
      case '?':
        document.getElementById('keys')?.showModal();
        break;
      case 'g':
        going = true;
        setTimeout(() => (going = false), 1500);
        break;
      case 'j':
      case 'k':
        current = Math.max(0, current + (event.key === 'j' ? 1 : -1));
        mark();
        break;
      case 'Enter':
        if (!row || event.target.closest('a, button, summary')) return;
        row.querySelector('a[href]')?.click();
        break;
      case 'x': {
        const box = row?.querySelector('input[type=checkbox]');
        if (!box) return;
        box.checked = !box.checked;
        count();
        break;
      }
      default:
        return;
    }
    event.preventDefault();
  });
  document.addEventListener('click', (event) => {
    for (const menu of document.querySelectorAll('details.who[open]')) {
      if (!menu.contains(event.target)) menu.open = false;
    }
    const copy = event.target.closest?.('[data-copy]');
    if (copy && navigator.clipboard) {
      const text = document.getElementById(copy.dataset.copy)?.textContent ?? '';
      navigator.clipboard.writeText(text).then(() => {
        const before = copy.textContent;
        copy.textContent = 'Copied';
        setTimeout(() => (copy.textContent = before), 1500);
      });
    }
  });

  // Going anywhere.
  const palette = document.getElementById('palette');
  const paletteText = document.getElementById('palette-text');
  const paletteList = document.getElementById('palette-list');
  let choices = [];
  let chosen = 0;
  const openPalette = () => {
    if (!palette || palette.open) return;
    paletteText.value = '';
    palette.showModal();
    fillPalette();
  };
  const fillPalette = () => {
    const wanted = paletteText.value.trim().toLowerCase();
    choices = [...document.querySelectorAll('[data-go]')].map((link) => ({
      name: link.textContent,
      run: () => link.click(),
    }));
    choices.push(
      { name: 'Switch between light and dark', run: () => document.getElementById('theme').click() },
      { name: 'Switch between UTC and local times', run: () => document.getElementById('zone').click() },
      { name: 'Keyboard shortcuts', run: () => document.getElementById('keys').showModal() },
    );
    choices = choices.filter((one) => one.name.toLowerCase().includes(wanted));
    if (wanted) {
      choices.push({
        name: `Find jobs: ${paletteText.value.trim()}`,
        run: () => location.assign(`${root}/jobs?q=${encodeURIComponent(paletteText.value.trim())}`),
      });
    }
    chosen = Math.min(chosen, choices.length - 1);
    paletteList.replaceChildren(
      ...choices.map((one, i) => {
        const item = document.createElement('li');
        item.textContent = one.name;
        item.id = `choice-${i}`;
        item.setAttribute('role', 'option');
        item.setAttribute('aria-selected', String(i === chosen));
        item.addEventListener('click', () => runChoice(i));
        return item;
      }),
    );
    paletteText.setAttribute('aria-activedescendant', `choice-${chosen}`);
  };
  const runChoice = (i) => {
    palette.close();
    choices[i]?.run();
  };
  paletteText?.addEventListener('input', () => {
    chosen = 0;
    fillPalette();
  });
  paletteText?.addEventListener('keydown', (event) => {
    if (event.key === 'ArrowDown' || event.key === 'ArrowUp') {
      chosen = (chosen + (event.key === 'ArrowDown' ? 1 : choices.length - 1)) % choices.length;
      fillPalette();
    } else if (event.key === 'Enter') runChoice(chosen);
    else if (event.key === 'Escape') palette.close();
    else return;
    event.preventDefault();
    event.stopPropagation();
  });

  // Views of the list that this browser keeps: a name and what the address asks for.
  const views = document.getElementById('views');
  const MOST_VIEWS = 30;
  const readViews = () => {
    try {
      const read = JSON.parse(stored('errand-views') ?? '[]');
      return Array.isArray(read) ? read.filter((one) => typeof one.name === 'string' && typeof one.query === 'string') : [];
    } catch {
      return [];
    }
  };
  const showViews = () => {
    if (!views) return;
    const kept = readViews();
    const query = location.search;
    const known = kept.some((one) => one.query === query);
    views.hidden = kept.length === 0 && query === '';
    document.getElementById('views-add').hidden = query === '' || known || kept.length >= MOST_VIEWS;
    document.getElementById('views-list').replaceChildren(
      ...kept.flatMap((one) => {
        const link = document.createElement('a');
        link.className = 'button';
        link.textContent = one.name;
        link.href = `${root}/jobs?${one.query.replace(/^\?/, '')}`;
        if (one.query === query) link.setAttribute('aria-current', 'true');
        if (one.query !== query) return [link];
        const remove = document.createElement('button');
        remove.type = 'button';
        remove.className = 'quiet';
        remove.textContent = 'Forget';
        remove.addEventListener('click', () => {
          store('errand-views', JSON.stringify(readViews().filter((other) => other.name !== one.name)));
          showViews();
        });
        return [link, remove];
      }),
    );
  };
  document.getElementById('views-add')?.addEventListener('click', () => {
    const name = prompt('Name of this view')?.trim().slice(0, 40);
    if (!name) return;
    const others = readViews().filter((one) => one.name !== name);
    store('errand-views', JSON.stringify([...others, { name, query: location.search }]));
    showViews();
  });
  showViews();

  showTimes();
  count();
})();
