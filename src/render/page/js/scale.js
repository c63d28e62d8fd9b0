// The part of time that is in view, and where in it each instant lies.

class Scale {
  constructor(end) {
    this.end = Math.max(end, 1);
    this.width = 1;
    this.fitAll();
  }

  get span() {
    return this.to - this.from;
  }

  /** The place of an instant, in pixels. */
  x(time) {
    return ((time - this.from) / this.span) * this.width;
  }

  /** The instant at a place. */
  time(x) {
    return this.from + (x / this.width) * this.span;
  }

  /** Shows this part, kept within the run and no narrower than 20 ns. */
  show(from, to) {
    const span = Math.min(Math.max(to - from, 20), this.full);
    const first = Math.min(Math.max(from, this.first), this.first + this.full - span);
    this.from = first;
    this.to = first + span;
  }

  /** A little room is left after the end, so that the last line can be seen. */
  get full() {
    return this.end * 1.01;
  }

  get first() {
    return 0;
  }

  fitAll() {
    this.from = 0;
    this.to = this.full;
  }

  /** Shows a piece with a tenth of room on either side. */
  fit(from, to) {
    const room = (to - from) * 0.1;
    this.show(from - room, to + room);
  }

  /** Zooms so that one instant keeps its place. */
  zoom(factor, around) {
    const span = Math.min(Math.max(this.span * factor, 20), this.full);
    const part = (around - this.from) / this.span;
    this.show(around - part * span, around - part * span + span);
  }

  /** Moves by a part of what is in view. */
  pan(part) {
    this.show(this.from + part * this.span, this.to + part * this.span);
  }

  /** Brings an instant into view without zooming. */
  reveal(time) {
    if (time >= this.from && time <= this.to) return;
    const span = this.span;
    this.show(time - span / 2, time + span / 2);
  }

  /** Instants for the axis at 1, 2, 5 × 10ⁿ, about so many pixels apart. */
  ticks(apart = 110) {
    const least = (this.span / this.width) * apart;
    const decade = 10 ** Math.floor(Math.log10(least));
    const step = Math.max([1, 2, 5, 10].map((digit) => digit * decade).find((size) => size >= least), 1);
    const ticks = [];
    for (let n = Math.ceil(this.from / step); n * step <= this.to; n++) ticks.push(n * step);
    return ticks;
  }
}
