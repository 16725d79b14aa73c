// The lines of an output. Only those near the viewport are elements of the page; others are a space as high as they are.
(() => {
  'use strict';
  const CHUNK_LINES = 50; // lines become elements, and are dropped, by the chunk
  const CHUNK_CHARACTERS = 64 * 1024;
  const MOST_LINES = 100000; // that are held
  const MOST_CHARACTERS = 4 * 1024 * 1024; // that are held
  const MARGIN = 800; // pixels above and below the viewport that are filled
  const MOST_PASSES = 4;

  const lengthOf = (pieces) =>
    typeof pieces === 'string' ? pieces.length : pieces.reduce((sum, piece) => sum + piece.text.length, 0);
  const textOf = (line) =>
    typeof line.pieces === 'string' ? line.pieces : line.pieces.map((piece) => piece.text).join('');
  const div = (className) => {
    const element = document.createElement('div');
    element.className = className;
    return element;
  };

  // A line has: name (of its stream), number, at and end (bytes), pieces (a text, or texts with classes), gap, time.
  class Log {
    isFollowing = true;
    #box;
    #above = div('space');
    #body = div('body');
    #below = div('space');
    #chunks = [];
    #lines = 0;
    #characters = 0;
    #only = '';
    #wanted = '';
    #found = [];
    #marked = null;
    #timeText = null;
    #lastTop = 0;
    #rowHeight = 20;
    #columns = 80;
    #width = 0;
    #isPlanned = false;

    constructor(box, before, after) {
      this.#box = box;
      box.append(before, this.#above, this.#body, this.#below, after);
      this.idOf = () => '';
      this.onFollow = () => {};
      this.onScroll = () => {};
      box.addEventListener('scroll', () => this.#scrolled());
      box.addEventListener('wheel', (event) => event.deltaY < 0 && this.#letGo(), { passive: true });
      box.addEventListener('keydown', (event) => {
        if (['ArrowUp', 'PageUp', 'Home'].includes(event.key)) this.#letGo();
      });
      new ResizeObserver(() => this.#resized()).observe(box);
    }

    get count() {
      return this.#lines;
    }

    get isFull() {
      return this.#lines > MOST_LINES || this.#characters > MOST_CHARACTERS;
    }

    reset() {
      this.#chunks = [];
      this.#lines = this.#characters = 0;
      this.#marked = null;
      this.#found = [];
      this.#body.replaceChildren();
      this.#setTop(0);
      this.plan();
    }

    // One more line at the end.
    add(line) {
      const last = this.#chunks[this.#chunks.length - 1];
      const chunk = last && this.#takes(last) ? last : this.#newChunk();
      if (chunk !== last) this.#chunks.push(chunk);
      this.#put(chunk, line);
    }

    // Lines before all others; the line that is at the top of the viewport stays there.
    prepend(lines) {
      const before = [];
      let chunk = null;
      for (const line of lines) {
        if (!chunk || !this.#takes(chunk)) before.push((chunk = this.#newChunk()));
        this.#put(chunk, line);
      }
      this.#chunks.unshift(...before);
      const added = before.reduce((sum, one) => sum + this.#height(one), 0);
      this.#layOut();
      this.#setTop(this.#box.scrollTop + added);
      this.render();
    }

    // Other text in a line that is there already.
    change(line, pieces) {
      const length = lengthOf(pieces);
      const chunk = line.chunk;
      this.#characters += length - line.length;
      chunk.characters += length - line.length;
      line.pieces = pieces;
      line.length = length;
      chunk.height = -1;
      if (line.row) this.#fill(line);
    }

    // Drops whole chunks while there are too many lines: the oldest, or from the other end. Gives what was dropped.
    drop(fromEnd) {
      const dropped = [];
      let removed = 0;
      while (this.isFull && this.#chunks.length > 1) {
        const chunk = fromEnd ? this.#chunks.pop() : this.#chunks.shift();
        if (!fromEnd) removed += this.#height(chunk);
        this.#lines -= chunk.lines.length;
        this.#characters -= chunk.characters;
        chunk.element?.remove();
        chunk.element = null;
        for (const line of chunk.lines) line.row = line.chunk = null;
        dropped.push(...chunk.lines);
      }
      if (removed > 0 && !this.isFollowing) this.#setTop(Math.max(0, this.#box.scrollTop - removed));
      return dropped;
    }

    // Only lines of one stream, or with '' all.
    show(name) {
      this.#only = name;
      this.#rebuild();
    }

    // A text for the time of a line, or null for no times.
    showTimes(textOfTime) {
      this.#timeText = textOfTime;
      this.#rebuild();
    }

    follow(on) {
      this.isFollowing = on;
      this.onFollow(on);
      if (on) this.render();
    }

    // How many lines have a text.
    find(text) {
      this.#wanted = text.toLowerCase();
      this.#found = [];
      if (this.#wanted) {
        for (const chunk of this.#chunks) {
          for (const line of chunk.lines) {
            if (this.#isShown(line) && this.#has(line)) this.#found.push(line);
          }
        }
      }
      for (const chunk of this.#chunks) {
        if (chunk.element) for (const line of chunk.lines) line.row?.classList.toggle('hit', this.#has(line));
      }
      return this.#found.length;
    }

    // Goes to the next line that was found, or to the one before.
    step(back) {
      const found = this.#found.filter((line) => line.chunk);
      if (found.length === 0) return;
      const at = found.indexOf(this.#marked);
      const next = at < 0 ? (back ? -1 : 0) : at + (back ? -1 : 1);
      this.goTo(found[(next + found.length) % found.length]);
    }

    // The line of a stream that has a byte, or null.
    lineAt(name, offset) {
      for (const chunk of this.#chunks) {
        for (const line of chunk.lines) {
          if (line.name === name && line.at <= offset && (line.end === undefined ? line.at === offset : offset < line.end)) return line;
        }
      }
      return null;
    }

    goTo(line) {
      this.follow(false);
      this.#marked?.row?.classList.remove('at');
      this.#marked = line;
      for (let pass = 0; pass < MOST_PASSES; pass++) {
        let y = this.#above.offsetTop;
        for (const chunk of this.#chunks) {
          if (chunk === line.chunk) break;
          y += this.#height(chunk);
        }
        const within = line.row ? line.row.offsetTop - line.chunk.element.offsetTop : 0;
        this.#setTop(Math.max(0, y + within - this.#box.clientHeight / 2));
        this.render();
        if (line.row && pass > 0) break;
      }
      line.row?.classList.add('at');
    }

    // Draws at the next frame.
    plan() {
      if (this.#isPlanned) return;
      this.#isPlanned = true;
      requestAnimationFrame(() => {
        this.#isPlanned = false;
        this.render();
      });
    }

    render() {
      for (let pass = 0; pass < MOST_PASSES; pass++) {
        if (this.isFollowing) this.#setTop(this.#box.scrollHeight);
        if (!this.#layOut()) break;
      }
      if (this.isFollowing) this.#setTop(this.#box.scrollHeight);
    }

    // Makes the elements near the viewport and removes others; whether heights turned out to be others.
    #layOut() {
      const top = this.#box.scrollTop - this.#above.offsetTop;
      const from = top - MARGIN;
      const to = top + this.#box.clientHeight + MARGIN;
      let y = 0;
      let above = 0;
      let below = 0;
      let isFirst = true;
      const near = [];
      for (const chunk of this.#chunks) {
        const height = this.#height(chunk);
        if (height === 0 && !chunk.element) continue; // none of its lines is shown
        if (y + height >= from && y <= to) {
          if (isFirst) above = y;
          isFirst = false;
          near.push([chunk, y]);
        } else {
          if (!isFirst) below += height;
          if (chunk.element) this.#forget(chunk);
        }
        y += height;
      }
      if (isFirst) above = y;
      this.#above.style.height = `${above}px`;
      this.#below.style.height = `${below}px`;
      let next = this.#body.firstElementChild;
      for (const [chunk] of near) {
        if (!chunk.element) this.#build(chunk);
        if (chunk.element === next) next = next.nextElementSibling;
        else this.#body.insertBefore(chunk.element, next);
      }
      let moved = 0;
      let isChanged = false;
      for (const [chunk, at] of near) {
        const height = chunk.element.getBoundingClientRect().height;
        if (Math.abs(height - chunk.height) > 0.5) {
          if (at + chunk.height <= top) moved += height - chunk.height;
          chunk.height = height;
          isChanged = true;
        }
      }
      if (moved !== 0 && !this.isFollowing) this.#setTop(this.#box.scrollTop + moved);
      return isChanged;
    }

    // As it was measured, or a guess.
    #height(chunk) {
      if (chunk.height >= 0) return chunk.height;
      if (chunk.element) return (chunk.height = chunk.element.getBoundingClientRect().height);
      let rows = 0;
      for (const line of chunk.lines) {
        if (this.#isShown(line)) rows += Math.max(1, Math.ceil(line.length / this.#columns));
      }
      return (chunk.height = rows * this.#rowHeight);
    }

    #newChunk() {
      return { lines: [], characters: 0, height: -1, element: null };
    }

    #takes(chunk) {
      return chunk.lines.length < CHUNK_LINES && chunk.characters < CHUNK_CHARACTERS;
    }

    #put(chunk, line) {
      line.chunk = chunk;
      line.row = null;
      line.length = lengthOf(line.pieces);
      chunk.lines.push(line);
      chunk.characters += line.length;
      chunk.height = -1;
      this.#lines++;
      this.#characters += line.length;
      if (chunk.element && this.#isShown(line)) chunk.element.append(this.#row(line));
    }

    #isShown(line) {
      return this.#only === '' || line.name === this.#only;
    }

    #has(line) {
      return this.#wanted !== '' && textOf(line).toLowerCase().includes(this.#wanted);
    }

    #build(chunk) {
      chunk.element = div('chunk');
      chunk.element.append(...chunk.lines.filter((line) => this.#isShown(line)).map((line) => this.#row(line)));
    }

    #forget(chunk) {
      this.#height(chunk);
      chunk.element.remove();
      chunk.element = null;
      for (const line of chunk.lines) line.row = null;
    }

    // Its parts are text in elements whose classes are ours.
    #row(line) {
      const row = div(`line ${line.name}${line.gap ? ' gap' : ''}${line === this.#marked ? ' at' : ''}`);
      const anchor = document.createElement('a');
      anchor.className = 'no';
      anchor.textContent = line.gap ? '\u22ef' : String(line.number);
      if (!line.gap) {
        row.id = this.idOf(line);
        anchor.href = `#${row.id}`;
      }
      row.append(anchor);
      if (this.#timeText) {
        const time = document.createElement('span');
        time.className = 'ts';
        time.textContent = line.time ? this.#timeText(line.time) : '';
        row.append(time);
      }
      const text = document.createElement('span');
      text.className = 'tx';
      row.append(text);
      line.row = row;
      this.#fill(line);
      return row;
    }

    #fill(line) {
      const parts =
        typeof line.pieces === 'string'
          ? [document.createTextNode(line.pieces)]
          : line.pieces.map((piece) => {
              if (!piece.style) return document.createTextNode(piece.text);
              const span = document.createElement('span');
              span.className = piece.style;
              span.textContent = piece.text;
              return span;
            });
      line.row.lastElementChild.replaceChildren(...parts);
      line.row.classList.toggle('hit', this.#has(line));
    }

    #rebuild() {
      for (const chunk of this.#chunks) {
        if (chunk.element) this.#forget(chunk);
        chunk.height = -1;
      }
      this.#measure();
      this.render();
    }

    #measure() {
      const text = this.#body.querySelector('.line:not(.gap) .tx');
      if (!text) return;
      const style = getComputedStyle(text);
      this.#rowHeight = parseFloat(style.lineHeight) || this.#rowHeight;
      this.#columns = Math.max(10, Math.floor(text.clientWidth / (parseFloat(style.fontSize) * 0.602)));
    }

    #resized() {
      if (this.#width === this.#box.clientWidth) return this.plan();
      this.#width = this.#box.clientWidth;
      this.#measure();
      for (const chunk of this.#chunks) if (!chunk.element) chunk.height = -1;
      this.plan();
    }

    #setTop(top) {
      this.#box.scrollTop = top;
      this.#lastTop = this.#box.scrollTop;
    }

    #letGo() {
      if (this.isFollowing && this.#box.scrollHeight > this.#box.clientHeight) this.follow(false);
    }

    #scrolled() {
      const box = this.#box;
      const isAtEnd = box.scrollTop + box.clientHeight >= box.scrollHeight - 4;
      if (box.scrollTop < this.#lastTop - 2 && !isAtEnd) this.#letGo();
      else if (isAtEnd && !this.isFollowing && box.scrollTop > this.#lastTop) this.follow(true);
      this.#lastTop = box.scrollTop;
      this.plan();
      this.onScroll(box.scrollTop);
    }
  }

  window.ErrandLog = Log;
})();
