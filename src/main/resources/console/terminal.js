// Makes lines of what a command has printed, as a terminal would show them: colours, and lines that are written over.
// Everything that is shown is the text of a text node. Nothing that a command prints becomes markup, a link or a style.
(() => {
  'use strict';
  const ESC = '\u001b';
  const MOST_LINE = 20000; // characters of one line that are shown
  const MOST_SEQUENCE = 512; // characters of one control sequence
  const MOST_CELLS = 4096; // a line with more is not written over, but begun anew

  // What acts instead of being seen, and is shown as a code: bidirectional overrides, zero width, other controls.
  const isHidden = (code) =>
    code < 32 ||
    (code >= 0x7f && code < 0xa0) ||
    code === 0xad ||
    (code >= 0x200b && code <= 0x200f) ||
    (code >= 0x2028 && code <= 0x202e) ||
    (code >= 0x2060 && code <= 0x206f) ||
    code === 0x061c ||
    code === 0xfeff ||
    (code >= 0xfff9 && code <= 0xfffb) ||
    (code >= 0xe0000 && code <= 0xe0fff);

  const shown = (character) => {
    const code = character.codePointAt(0);
    return isHidden(code) ? `\u27e8${code.toString(16).padStart(4, '0')}\u27e9` : character;
  };

  // A line without any of these is shown as it is.
  const ACTS = /[\u0000-\u0009\u000b-\u001f\u007f-\u009f\u00ad\u061c\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb\udb40]/;

  class Terminal {
    #rest = ''; // of a control sequence that has not ended
    #cells = []; // characters of the line, each with its classes
    #at = 0;
    #style = '';
    #state = { fg: '', bg: '', bold: false, dim: false, italic: false, underline: false };
    #tail = 0; // characters of the line that are left out

    // Takes more output; calls line(pieces, ended) for each line that has ended, and for the open one.
    write(text, line) {
      const all = this.#rest + text;
      this.#rest = '';
      let i = 0;
      while (i < all.length) {
        if (this.#at === 0 && this.#cells.length === 0) {
          const end = all.indexOf('\n', i);
          if (end > i && end - i <= MOST_LINE) {
            const plain = all.slice(i, end);
            if (!ACTS.test(plain)) {
              line([{ text: plain, style: this.#style }], true);
              i = end + 1;
              continue;
            }
          }
        }
        const c = all[i];
        if (c === '\n') {
          line(this.#pieces(), true);
          this.#cells = [];
          this.#at = 0;
          this.#tail = 0;
          i++;
        } else if (c === '\r') {
          this.#at = 0;
          this.#tail = 0;
          i++;
        } else if (c === '\b') {
          this.#at = Math.max(0, this.#at - 1);
          i++;
        } else if (c === '\t') {
          do this.#put(' ');
          while (this.#at % 8 !== 0 && this.#at < MOST_LINE);
          i++;
        } else if (c === ESC) {
          const end = this.#sequence(all, i);
          if (end < 0) {
            this.#rest = all.slice(i);
            break;
          }
          i = end;
        } else {
          const character = String.fromCodePoint(all.codePointAt(i));
          this.#put(shown(character));
          i += character.length;
        }
      }
      if (this.#cells.length > 0) line(this.#pieces(), false);
    }

    #put(text) {
      if (this.#at >= MOST_LINE) {
        this.#tail++;
        return;
      }
      this.#cells[this.#at++] = { text, style: this.#style };
    }

    // The end of the control sequence at i, or -1 where it has not arrived.
    #sequence(all, i) {
      const kind = all[i + 1];
      if (kind === undefined) return -1;
      if (kind === '[') {
        let end = i + 2;
        while (end < all.length && end - i < MOST_SEQUENCE && !/[@-~]/.test(all[end])) end++;
        if (end >= all.length) return all.length - i < MOST_SEQUENCE ? -1 : all.length;
        if (end - i >= MOST_SEQUENCE) return end;
        this.#control(all.slice(i + 2, end), all[end]);
        return end + 1;
      }
      if (kind === ']' || kind === 'P' || kind === '_' || kind === '^' || kind === 'X') {
        // Titles, links and the like: what names them is dropped, and what they enclose is text.
        let end = i + 2;
        while (end < all.length && end - i < MOST_SEQUENCE) {
          if (all[end] === '\u0007') return end + 1;
          if (all[end] === ESC && all[end + 1] === '\\') return end + 2;
          if (all[end] === '\n') return end;
          end++;
        }
        return all.length - i < MOST_SEQUENCE ? -1 : end;
      }
      return i + 2;
    }

    #control(parameters, final) {
      const numbers = parameters.split(/[;:]/, 32).map((n) => (/^\d{1,5}$/.test(n) ? Number(n) : 0));
      const first = numbers[0] || 0;
      if (final === 'm') this.#graphics(numbers);
      else if (final === 'K') {
        if (first === 0) this.#cells.length = Math.min(this.#cells.length, this.#at);
        else if (first === 2) this.#cells.length = 0;
      } else if (final === 'G') this.#at = Math.min(MOST_CELLS, Math.max(0, first - 1));
      else if (final === 'C') this.#at = Math.min(MOST_CELLS, this.#at + Math.max(1, first));
      else if (final === 'D') this.#at = Math.max(0, this.#at - Math.max(1, first));
    }

    #graphics(numbers) {
      const s = this.#state;
      for (let i = 0; i < numbers.length; i++) {
        const n = numbers[i];
        if (n === 0) this.#state = { ...s, fg: '', bg: '', bold: false, dim: false, italic: false, underline: false };
        if (n === 0) Object.assign(s, this.#state);
        else if (n === 1) s.bold = true;
        else if (n === 2) s.dim = true;
        else if (n === 3) s.italic = true;
        else if (n === 4) s.underline = true;
        else if (n === 22) s.bold = s.dim = false;
        else if (n === 23) s.italic = false;
        else if (n === 24) s.underline = false;
        else if (n >= 30 && n <= 37) s.fg = `f${n - 30}`;
        else if (n >= 90 && n <= 97) s.fg = `f${n - 82}`;
        else if (n === 39) s.fg = '';
        else if (n >= 40 && n <= 47) s.bg = `b${n - 40}`;
        else if (n >= 100 && n <= 107) s.bg = `b${n - 92}`;
        else if (n === 49) s.bg = '';
        else if (n === 38 || n === 48) {
          const mode = numbers[i + 1];
          const colour = mode === 5 ? nearest256(numbers[i + 2] || 0) : mode === 2 ? nearest(numbers.slice(i + 2, i + 5)) : 0;
          if (n === 38) s.fg = `f${colour}`;
          else s.bg = `b${colour}`;
          i += mode === 5 ? 2 : 4;
        }
      }
      this.#state = s;
      this.#style = [s.fg, s.bg, s.bold && 'bold', s.dim && 'faint', s.italic && 'it', s.underline && 'un']
        .filter(Boolean)
        .join(' ');
    }

    #pieces() {
      const pieces = [];
      for (let i = 0; i < this.#cells.length; i++) {
        const cell = this.#cells[i] ?? { text: ' ', style: '' };
        const last = pieces[pieces.length - 1];
        if (last && last.style === cell.style) last.text += cell.text;
        else pieces.push({ text: cell.text, style: cell.style });
      }
      if (this.#tail > 0) pieces.push({ text: ` \u2026 ${this.#tail} more characters in this line`, style: 'cut' });
      return pieces;
    }
  }

  // The sixteen colours have classes; others become the nearest of them.
  const SIXTEEN = [
    [0, 0, 0], [205, 0, 0], [0, 205, 0], [205, 205, 0], [0, 0, 238], [205, 0, 205], [0, 205, 205], [229, 229, 229],
    [127, 127, 127], [255, 0, 0], [0, 255, 0], [255, 255, 0], [92, 92, 255], [255, 0, 255], [0, 255, 255], [255, 255, 255],
  ];
  const nearest = (rgb) => {
    let best = 0;
    let least = Infinity;
    SIXTEEN.forEach((one, i) => {
      const distance = one.reduce((sum, value, k) => sum + (value - (rgb[k] || 0)) ** 2, 0);
      if (distance < least) [best, least] = [i, distance];
    });
    return best;
  };
  const nearest256 = (n) => {
    if (n < 16) return n;
    if (n >= 232) return nearest(Array(3).fill(8 + (Math.min(n, 255) - 232) * 10));
    const cube = (v) => (v === 0 ? 0 : 55 + v * 40);
    const k = n - 16;
    return nearest([cube(Math.floor(k / 36)), cube(Math.floor(k / 6) % 6), cube(k % 6)]);
  };

  window.ErrandTerminal = Terminal;
})();
