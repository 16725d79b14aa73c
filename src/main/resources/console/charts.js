// Draws the charts of a page from numbers that stand in it, in the colours of the theme.
(() => {
  'use strict';
  let charts = [];
  const spans = { '1h': 3600, '24h': 86400, '7d': 604800 }; // seconds
  const numbers = (text) => text.split(',').map((one) => (one === '' ? null : Number(one)));
  // Those that count jobs by time of creation are bars; those that measure are lines, with gaps.
  const looks = {
    created: ['--strong-line', '--sunk'],
    succeeded: ['--green', '--green'],
    failed: ['--red', '--red'],
    waiting: ['--amber', '--amber-soft'],
    running: ['--blue', null],
  };
  const draw = () => {
    for (const { chart } of charts) chart.destroy();
    charts = [];
    const style = getComputedStyle(document.documentElement);
    const colour = (name) => style.getPropertyValue(name).trim();
    for (const element of document.querySelectorAll('[data-chart]')) {
      if (!window.uPlot) return;
      const times = numbers(element.dataset.times);
      const names = (element.dataset.series ?? 'created,succeeded,failed').split(',');
      const series = names.map((name) => numbers(element.dataset[name]));
      const until = Math.max(Date.now() / 1e3, times[times.length - 1]); // should this clock be behind
      const axis = {
        stroke: colour('--dim'),
        grid: { stroke: colour('--line'), width: 1 },
        ticks: { show: false },
        font: '11px system-ui',
      };
      const bars = window.uPlot.paths.bars({ size: [0.7, 28] });
      const isLine = Boolean(element.dataset.series);
      const shape = isLine ? { width: 1.5 } : { width: 1, paths: bars };
      const line = (label) => {
        const [stroke, fill] = looks[label];
        // A line of one point would not be seen.
        const isAlone = (one, at, all) => one !== null && (all[at - 1] ?? all[at + 1] ?? null) === null;
        const alone = (u, i) => [...u.data[i].keys()].filter((at) => isAlone(u.data[i][at], at, u.data[i]));
        const points = { show: false, filter: isLine ? alone : null, size: 5, width: 0, fill: colour(stroke) };
        return { label, stroke: colour(stroke), fill: fill && colour(fill), points, ...shape };
      };
      const utc = document.getElementById('zone')?.textContent !== 'Local';
      const chart = new window.uPlot(
        {
          width: Math.max(200, element.clientWidth),
          height: 170,
          cursor: { y: false, points: { show: false } },
          legend: { live: true },
          tzDate: (time) => (utc ? window.uPlot.tzDate(new Date(time * 1e3), 'Etc/UTC') : new Date(time * 1e3)),
          scales: {
            x: { range: () => [until - spans[element.dataset.span], until] },
            y: { range: (u, min, max) => [0, Math.max(4, max * 1.1)] },
          },
          axes: [axis, { ...axis, size: 44, incrs: [1, 2, 5, 10, 20, 50, 100, 200, 500, 1000, 2000, 5000] }],
          series: [
            { label: utc ? 'Time (UTC)' : 'Time' },
            ...names.map(line),
          ],
        },
        [times, ...series],
        element,
      );
      charts.push({ chart, element });
    }
  };
  document.addEventListener('htmx:afterSettle', draw);
  document.getElementById('theme')?.addEventListener('click', () => setTimeout(draw, 0));
  document.getElementById('zone')?.addEventListener('click', () => setTimeout(draw, 0));
  addEventListener('resize', () => {
    for (const { chart, element } of charts) chart.setSize({ width: Math.max(200, element.clientWidth), height: 170 });
  });
  draw();
})();
