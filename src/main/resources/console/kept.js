// Sizes, bytes of texts, and what the server keeps of the output of an attempt.
(() => {
  'use strict';
  const NAMES = ['stdout', 'stderr'];
  const EARLIER_BYTES = 256 * 1024; // that become lines at once
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
  const NO_ASCII = /[^\x00-\x7f]/;
  const encoder = new TextEncoder();
  const bytesOf = (text) => (NO_ASCII.test(text) ? encoder.encode(text).length : text.length);
  const grouped = (n) => n.toLocaleString('en');

  // The beginning and the end of each stream of an attempt that has ended; null where that cannot be read.
  const read = async (base, attempt) => {
    const streams = {};
    for (const name of NAMES) {
      const answer = await fetch(`${base}/output?stream=${name}&attempt=${attempt}`);
      if (!answer.ok) return null;
      const bytes = new Uint8Array(await answer.arrayBuffer());
      const lost = Number(answer.headers.get('Errand-Dropped-Bytes'));
      streams[name] = { bytes, lost, head: lost > 0 ? Number(answer.headers.get('Errand-Head-Bytes')) : bytes.length };
    }
    return streams;
  };

  const linesOf = (name, offset, bytes) => {
    const lines = [];
    const terminal = new window.ErrandTerminal();
    for (let from = 0; from < bytes.length; ) {
      const newline = bytes.indexOf(10, from);
      const to = newline < 0 ? bytes.length : newline + 1;
      const at = offset + from;
      let pieces = '';
      terminal.write(new TextDecoder().decode(bytes.subarray(from, to)), (all) => (pieces = all));
      lines.push({ name, at, end: offset + to, pieces });
      from = to;
    }
    return lines;
  };

  // The last lines of a range of a stream, or the gap that it ends with.
  const linesBefore = (name, { bytes, head, lost }, { from, to }) => {
    if (to > head && to <= head + lost) {
      const start = Math.max(from, head);
      const text = `${size(to - start)} of ${name} are not kept (bytes ${grouped(start)} to ${grouped(to)})`;
      return [{ name, gap: true, at: start, end: to, pieces: text }];
    }
    const isTail = to > head;
    const shift = isTail ? lost : 0;
    const least = Math.max(from - shift, isTail ? head : 0);
    const end = Math.min(to - shift, bytes.length);
    let start = Math.max(least, end - EARLIER_BYTES);
    const newline = bytes.indexOf(10, start);
    if (start > least && newline >= 0 && newline + 1 < end) start = newline + 1;
    return linesOf(name, start + shift, bytes.subarray(start, end));
  };

  window.ErrandKept = { NAMES, size, grouped, bytesOf, read, linesBefore };
})();
