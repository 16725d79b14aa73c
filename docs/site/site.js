'use strict';
// The search box, the menu on a phone, copying, and light or dark. The pages work without it.
(() => {
  const root = document.body.dataset.root;
  const box = document.getElementById('find');
  const found = document.getElementById('found');
  const most = 12;
  let chosen = -1;

  function load() {
    if (!document.getElementById('index')) {
      const script = document.createElement('script');
      script.id = 'index';
      script.src = root + 'search-index.js';
      script.addEventListener('load', search);
      document.head.append(script);
    }
  }

  // A section must hold all words; those in titles count most.
  function score(entry, words) {
    const [, page, section, text] = entry.map(part => part.toLowerCase());
    let sum = 0;
    for (const word of words) {
      const inSection = section.includes(word);
      const inPage = page.includes(word);
      const at = text.indexOf(word);
      if (!inSection && !inPage && at < 0) {
        return 0;
      }
      sum += (inSection ? 12 : 0) + (inPage ? (section ? 6 : 14) : 0) + (at >= 0 ? 2 : 0);
    }
    return sum + (entry[0].startsWith('adr/') || entry[0].startsWith('changelog') ? 0 : 3);
  }

  function excerpt(text, word) {
    const at = Math.max(0, text.toLowerCase().indexOf(word) - 40);
    return (at > 0 ? '…' : '') + text.slice(at, at + 150);
  }

  function show(open) {
    found.hidden = !open;
    box.setAttribute('aria-expanded', String(open));
  }

  function search() {
    const words = box.value.toLowerCase().split(/\s+/).filter(Boolean).slice(0, 8);
    chosen = -1;
    if (!words.length || !window.errandIndex) {
      show(false);
      return;
    }
    const hits = window.errandIndex
      .map(entry => [score(entry, words), entry])
      .filter(([sum]) => sum > 0)
      .sort((a, b) => b[0] - a[0])
      .slice(0, most);
    found.replaceChildren(...hits.map(([, [address, page, section, text]], number) => {
      const item = document.createElement('li');
      item.id = 'hit-' + number;
      item.setAttribute('role', 'option');
      const link = document.createElement('a');
      link.href = root + address;
      link.tabIndex = -1;
      link.textContent = section ? page + ' › ' + section : page;
      const where = document.createElement('span');
      where.className = 'in';
      where.textContent = excerpt(text, words[0]);
      link.append(where);
      item.append(link);
      return item;
    }));
    if (!hits.length) {
      const none = document.createElement('li');
      none.className = 'none';
      none.textContent = 'Nothing holds all of these words.';
      found.append(none);
    }
    show(true);
  }

  function choose(step) {
    const items = [...found.querySelectorAll('[role=option]')];
    if (items.length) {
      chosen = (chosen + step + items.length) % items.length;
      items.forEach((item, i) => item.setAttribute('aria-selected', String(i === chosen)));
      items[chosen].scrollIntoView({block: 'nearest'});
      box.setAttribute('aria-activedescendant', items[chosen].id);
    }
  }

  box.addEventListener('focus', load);
  box.addEventListener('input', search);
  box.addEventListener('keydown', event => {
    if (event.key === 'ArrowDown' || event.key === 'ArrowUp') {
      event.preventDefault();
      choose(event.key === 'ArrowDown' ? 1 : -1);
    } else if (event.key === 'Enter') {
      found.querySelectorAll('a')[Math.max(0, chosen)]?.click();
    } else if (event.key === 'Escape') {
      box.value = '';
      show(false);
    }
  });
  document.addEventListener('click', event => {
    if (!event.target.closest('.find')) {
      show(false);
    }
  });
  document.addEventListener('keydown', event => {
    if (event.key === '/' && !/^(INPUT|TEXTAREA)$/.test(event.target.tagName)) {
      event.preventDefault();
      box.focus();
    }
  });

  const menu = document.getElementById('menu');
  menu.addEventListener('click', () => {
    menu.setAttribute('aria-expanded', String(document.body.classList.toggle('open')));
  });
  const side = document.getElementById('side');
  const here = side.querySelector('[aria-current]');
  if (here) {
    side.scrollTop = here.offsetTop - side.clientHeight / 2; // the page itself stays where it is
  }

  document.getElementById('theme').addEventListener('click', () => {
    const now = document.documentElement.dataset.theme
      || (matchMedia('(prefers-color-scheme: dark)').matches ? 'dark' : 'light');
    const next = now === 'dark' ? 'light' : 'dark';
    document.documentElement.dataset.theme = next;
    try {
      localStorage.setItem('errand-theme', next);
    } catch {
      // Then it lasts for this page.
    }
  });

  if (navigator.clipboard) {
    for (const block of document.querySelectorAll('pre')) {
      const button = document.createElement('button');
      button.type = 'button';
      button.className = 'copy';
      button.textContent = 'Copy';
      button.addEventListener('click', async () => {
        await navigator.clipboard.writeText(block.querySelector('code').textContent);
        button.textContent = 'Copied';
      });
      block.append(button);
    }
  }
})();
