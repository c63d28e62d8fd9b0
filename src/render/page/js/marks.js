// Two marks, A and B, and the distance between them.

/** Sets a mark at the instant that is looked at; once more takes it away. */
App.prototype.mark = function (place) {
  this.marks[place] = this.marks[place] === this.now ? null : this.now;
  const [a, b] = this.marks;
  const parts = [];
  if (a !== null) parts.push(`A ${exact(a)}`);
  if (b !== null) parts.push(`B ${exact(b)}`);
  if (a !== null && b !== null) parts.push(`distance ${exact(Math.abs(b - a))}`);
  $("distance").textContent = parts.join("   ");
  this.changed();
};
