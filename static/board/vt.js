// A terminal's screen: what a program writes, as lines of cells. It knows what shells, editors and `top` use of xterm's
// control sequences and skips the others. What is twice as wide takes two cells, the second of which holds nothing.
const SEQUENCE = /\x1b(?:\[([?>=!]?)([\d;:]*)[ -/]*([@-~])|[\]P^_][^\x07\x1b]*(?:\x07|\x1b\\)|[()*+].|([^[\]P^_()*+]))/y;
// East Asian letters and emoji; of Unicode's table of widths what a shell is likely to write.
const WIDE = /^(?:\p{Emoji_Presentation}|[\u1100-\u115f\u2e80-\u303e\u3041-\ua4cf\uac00-\ud7a3\uf900-\ufaff\ufe30-\ufe6f\uff00-\uff60\uffe0-\uffe6\u{20000}-\u{3fffd}])/u;
const PAST = 1000; // lines that have left it above

const cells = (count) => Array.from({ length: count }, () => [" ", ""]);

export class Screen {
  // `answer(text)`: what the terminal itself says to the program, who may ask where the cursor is.
  constructor(columns, rows, answer) {
    Object.assign(this, { columns, rows, answer, past: [], modes: new Set(), rest: "" });
    this.reset();
  }

  reset() {
    Object.assign(this, { x: 0, y: 0, look: new Set(), top: 0, bottom: this.rows - 1, saved: [0, 0] });
    this.grid = this.lines(this.rows);
  }

  lines(count) {
    return Array.from({ length: count }, () => cells(this.columns));
  }

  resize(columns, rows) {
    for (const line of this.grid) {
      line.push(...cells(Math.max(0, columns - line.length)));
      line.length = columns;
    }
    while (this.grid.length > rows && this.y < this.grid.length - 1) this.grid.pop();
    while (this.grid.length > rows) this.remember(this.grid.shift()), (this.y = Math.max(0, this.y - 1));
    Object.assign(this, { columns, rows, top: 0, bottom: rows - 1, x: Math.min(this.x, columns - 1) });
    this.grid.push(...this.lines(rows - this.grid.length));
  }

  remember(line) {
    if (this.other) return;
    this.past.push(line);
    if (this.past.length > PAST) this.past.shift();
  }

  write(text) {
    text = this.rest + text;
    this.rest = "";
    for (let at = 0; at < text.length; ) {
      if (text[at] === "\x1b") {
        SEQUENCE.lastIndex = at;
        const found = SEQUENCE.exec(text);
        if (!found) {
          // Its end has not come yet, or never will.
          if (text.length - at < 300) return void (this.rest = text.slice(at));
          at++;
          continue;
        }
        at = SEQUENCE.lastIndex;
        if (found[3]) this.control(found[1], found[2].split(/[;:]/).map(Number), found[3]);
        else if (found[4]) this.escape(found[4]);
      } else {
        const letter = String.fromCodePoint(text.codePointAt(at));
        at += letter.length;
        this.letter(letter);
      }
    }
  }

  letter(letter) {
    if (letter === "\n" || letter === "\v" || letter === "\f") this.down();
    else if (letter === "\r") this.x = 0;
    else if (letter === "\b") this.x = Math.max(0, Math.min(this.x, this.columns - 1) - 1);
    else if (letter === "\t") this.x = Math.min(this.columns - 1, (this.x | 7) + 1);
    else if (letter >= " " && letter !== "\x7f") {
      const wide = WIDE.test(letter);
      if (this.x + wide >= this.columns) {
        this.x = 0;
        this.down();
      }
      const look = [...this.look].join(" ");
      this.grid[this.y][this.x++] = [letter, look];
      if (wide) this.grid[this.y][this.x++] = ["", look];
    }
  }

  down() {
    if (this.y === this.bottom) this.roll(1);
    else this.y = Math.min(this.rows - 1, this.y + 1);
  }

  // The lines of the region move up by so many, or down where it is negative.
  roll(count, from = this.top) {
    for (; count > 0; count--) {
      const [line] = this.grid.splice(from, 1);
      if (from === 0) this.remember(line);
      this.grid.splice(this.bottom, 0, ...this.lines(1));
    }
    for (; count < 0; count++) {
      this.grid.splice(this.bottom, 1);
      this.grid.splice(from, 0, ...this.lines(1));
    }
  }

  escape(letter) {
    if (letter === "7") this.saved = [this.x, this.y];
    else if (letter === "8") [this.x, this.y] = this.saved;
    else if (letter === "D" || letter === "E") this.down(), letter === "E" && (this.x = 0);
    else if (letter === "M") this.y === this.top ? this.roll(-1) : (this.y = Math.max(0, this.y - 1));
    else if (letter === "c") this.reset();
  }

  control(mark, numbers, letter) {
    const n = numbers[0] || 1;
    const line = this.grid[this.y];
    const x = Math.min(this.x, this.columns - 1);
    const to = (left, above) => {
      this.x = Math.max(0, Math.min(this.columns - 1, left));
      this.y = Math.max(0, Math.min(this.rows - 1, above));
    };
    const put = (from, gone, come) => {
      line.splice(from, gone, ...cells(come));
      line.push(...cells(Math.max(0, this.columns - line.length)));
      line.length = this.columns;
    };
    if (mark && !"hl".includes(letter)) return;
    const doing = {
      A: () => to(x, this.y - n),
      B: () => to(x, this.y + n),
      C: () => to(x + n, this.y),
      D: () => to(x - n, this.y),
      E: () => to(0, this.y + n),
      F: () => to(0, this.y - n),
      G: () => to(n - 1, this.y),
      d: () => to(x, n - 1),
      H: () => to((numbers[1] || 1) - 1, n - 1),
      J: () => this.erase(numbers[0], x),
      K: () => line.splice(...this.span(numbers[0], x)),
      L: () => this.roll(-Math.min(n, this.rows), this.y),
      M: () => this.roll(Math.min(n, this.rows), this.y),
      P: () => put(x, n, 0),
      "@": () => put(x, 0, n),
      X: () => put(x, n, Math.min(n, this.columns)),
      S: () => this.roll(Math.min(n, this.rows)),
      T: () => this.roll(-Math.min(n, this.rows)),
      r: () => {
        Object.assign(this, { top: n - 1, bottom: Math.min(this.rows, numbers[1] || this.rows) - 1 });
        to(0, 0);
      },
      s: () => (this.saved = [this.x, this.y]),
      u: () => ([this.x, this.y] = this.saved),
      m: () => this.paint(numbers),
      h: () => numbers.forEach((number) => this.mode(mark + number, true)),
      l: () => numbers.forEach((number) => this.mode(mark + number, false)),
      n: () => numbers[0] === 6 && this.answer(`\x1b[${this.y + 1};${x + 1}R`),
      c: () => this.answer("\x1b[?1;2c"),
    };
    doing.f = doing.H;
    doing[letter]?.();
  }

  // What of a line an erasure is about: from here, to here, all.
  span(which, x) {
    const [from, count] = which === 1 ? [0, x + 1] : which === 2 ? [0, this.columns] : [x, this.columns - x];
    return [from, count, ...cells(count)];
  }

  erase(which, x) {
    const [from, to] = which === 1 ? [0, this.y] : which > 1 ? [0, this.rows] : [this.y + 1, this.rows];
    for (let at = from; at < to; at++) this.grid[at] = cells(this.columns);
    if (which === 3) this.past = [];
    if (!(which > 1)) this.grid[this.y].splice(...this.span(which, x));
  }

  mode(name, on) {
    on ? this.modes.add(name) : this.modes.delete(name);
    if (name === "?25") this.hidden = !on;
    if (!["?1049", "?1047", "?47"].includes(name) || on === !!this.other) return;
    if (on) {
      this.other = { grid: this.grid, x: this.x, y: this.y };
      this.grid = this.lines(this.rows);
    } else {
      const { grid, x, y } = this.other;
      this.other = null;
      Object.assign(this, { grid, x, y });
      this.resize(this.columns, this.rows);
    }
  }

  // Bold, underlined, inverse, and the sixteen colours; of the others only that there are so many numbers.
  paint(numbers) {
    const only = (group, name) => {
      for (const had of this.look) if (had[0] === group) this.look.delete(had);
      if (name) this.look.add(name);
    };
    for (let at = 0; at < numbers.length; at++) {
      const n = numbers[at];
      if (n === 0) this.look.clear();
      else if (n === 1 || n === 4 || n === 7) this.look.add({ 1: "bold", 4: "under", 7: "inverse" }[n]);
      else if (n === 22 || n === 24 || n === 27) this.look.delete({ 22: "bold", 24: "under", 27: "inverse" }[n]);
      else if (n === 38 || n === 48) {
        const colour = numbers[at + 2];
        if (n === 38) only("f", numbers[at + 1] === 5 && colour < 16 && `f${colour % 8}`);
        at += numbers[at + 1] === 5 ? 2 : 4;
      } else if ((n >= 30 && n < 40) || (n >= 90 && n < 98)) only("f", n !== 39 && `f${n % 10}`);
      else if ((n >= 40 && n < 50) || (n >= 100 && n < 108)) only("g", n !== 49 && `g${n % 10}`);
    }
  }
}
