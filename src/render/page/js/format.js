// Times and numbers as people read them: the same rules as in the texts of the command line.

/** The unit in which people name a span of this size, in nanoseconds, and its name. */
function unitOf(ns) {
  if (ns === 0) return [1e6, "ms"];
  if (ns < 1e3) return [1, "ns"];
  if (ns < 1e6) return [1e3, "us"];
  return ns < 1e10 ? [1e6, "ms"] : [1e9, "s"];
}

/** A number of nanoseconds in a unit, without rounding: nanoseconds are whole numbers. */
function inUnit(ns, unit, name) {
  const whole = Math.floor(ns / unit);
  const rest = ns % unit;
  if (rest === 0) return `${whole}${name}`;
  const digits = String(rest).padStart(Math.round(Math.log10(unit)), "0").replace(/0+$/, "");
  return `${whole}.${digits}${name}`;
}

/** An exact time: `5.112ms`. */
function exact(ns) {
  return ns < 0 ? `−${exact(-ns)}` : inUnit(ns, ...unitOf(ns));
}

/** At most three decimals, for tables. */
function short(ns) {
  const [unit, name] = unitOf(ns);
  const step = Math.max(unit / 1000, 1);
  return inUnit(Math.round(ns / step) * step, unit, name);
}

const UNITS = { ns: 1, us: 1e3, "µs": 1e3, ms: 1e6, s: 1e9, min: 60e9 };

/** What somebody typed as a time, in nanoseconds, or null: `0.122s`, `122 ms`, also with a decimal comma. */
function parseTime(text) {
  const found = /^\s*(?:t\s*=\s*)?(\d+(?:[.,]\d+)?)\s*(ns|us|µs|ms|s|min)\s*$/i.exec(text);
  return found && Math.round(Number(found[1].replace(",", ".")) * UNITS[found[2].toLowerCase()]);
}

/** One time against another: `5.55 times as long`. */
function against(value, base) {
  if (value === base) return "the same";
  if (value === 0 || base === 0) return "";
  const more = value > base;
  const times = (more ? value / base : base / value).toFixed(2);
  if (times === "1.00") return "nearly the same";
  return more ? `${times} times as long` : `${times} times shorter`;
}

/** A count with thin spaces between thousands. */
function counted(number) {
  return String(number).replace(/\B(?=(\d{3})+$)/g, "\u202f");
}

/** A name with everything that would act on a text, or hide in it, made visible. */
function seen(text) {
  const acts = /[\p{Cc}\u061c\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb\u{e0000}-\u{e007f}]/gu;
  return text.replace(acts, (c) => `\\u{${c.codePointAt(0).toString(16)}}`);
}
