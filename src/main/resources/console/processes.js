// The process tree of a job while it runs.
(() => {
  'use strict';
  const MOST_ROWS = 200;
  const MOST_DEPTH = 20;
  const { size } = window.ErrandKept;

  const processes = document.getElementById('processes');
  const showProcesses = async () => {
    if (!processes?.isConnected || document.hidden) return;
    const answer = await fetch(processes.dataset.url).catch(() => null);
    if (!answer?.ok || answer.status === 204) return;
    const all = (await answer.json()).processes;
    const ids = new Set(all.map((one) => one.pid));
    const rows = [];
    const add = (one, depth) => {
      if (depth > MOST_DEPTH || rows.length > MOST_ROWS) return;
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
})();
