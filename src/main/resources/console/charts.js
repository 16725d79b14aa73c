// Draws the charts of a page from numbers that stand in it, in the colours of the theme.
(() => {
  'use strict';
  let charts = [];
  const spans = { '1h': 3600, '24h': 86400, '7d': 604800 }; // seconds
  const numbers = (text) => text.split(',').map(Number);
  const draw = () => {
    for (const { chart } of charts) chart.destroy();
    charts = [];
    const style = getComputedStyle(document.documentElement);
    const colour = (name) => style.getPropertyValue(name).trim();
    for (const element of document.querySelectorAll('[data-chart]')) {
      if (!window.uPlot) return;
      const times = numbers(element.dataset.times);
      const series = ['created', 'succeeded', 'failed'].map((name) => numbers(element.dataset[name]));
      const until = Math.max(Date.now() / 1e3, times[times.length - 1]); // should this clock be behind
      const axis = {
        stroke: colour('--dim'),
        grid: { stroke: colour('--line'), width: 1 },
        ticks: { show: false },
        font: '11px system-ui',
      };
      const bars = window.uPlot.paths.bars({ size: [0.7, 28] });
      const line = (label, stroke, fill) => ({ label, stroke, fill, width: 1, paths: bars, points: { show: false } });
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
            line('created', colour('--strong-line'), colour('--sunk')),
            line('succeeded', colour('--green'), colour('--green')),
            line('failed', colour('--red'), colour('--red')),
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
