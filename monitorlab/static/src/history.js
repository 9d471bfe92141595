// A bounded table of one panel: a column of times and one of values for each series.
//
// Columns are twice as long as what is kept, so that a column slides back only once in so many
// rows and is always one piece of memory, which uPlot can draw without a copy.
import { ABSENT } from "./codec.js";

export class History {
  constructor(count, keep) {
    this.keep = Math.max(2, keep);
    this.count = count;
    this.columns = Array.from({ length: count + 1 }, () => new Float64Array(2 * this.keep));
    this.start = 0;
    this.end = 0;
    this.arrived = 0;
    this.lastHole = -1; // how many rows had arrived when one came that is not all numbers
  }

  get length() {
    return this.end - this.start;
  }

  get oldest() {
    return this.length ? this.columns[0][this.start] : NaN;
  }

  get newest() {
    return this.length ? this.columns[0][this.end - 1] : NaN;
  }

  /** Take a block in. Rows that are held from its first time on make way for it. */
  append(times, series) {
    let from = 0;
    if (times.length === 0 || series.length !== this.count) {
      return;
    }
    if (this.length && times[0] <= this.newest) {
      this.end = this.start + this.#firstAtOrAfter(times[0]);
    }
    if (times.length > this.keep) {
      from = times.length - this.keep;
    }
    const rows = times.length - from;
    this.#room(rows);
    this.columns[0].set(from ? times.subarray(from) : times, this.end);
    let hole = false;
    for (let i = 0; i < this.count; i++) {
      const part = from ? series[i].subarray(from) : series[i];
      this.columns[i + 1].set(part, this.end);
      for (let row = 0; row < rows && !hole; row++) {
        hole = !Number.isFinite(part[row]) || part[row] === ABSENT;
      }
    }
    this.#grew(rows, hole);
  }

  /** Give [times, ...values] from one time to another, with one row more on each side. */
  slice(from, to, scratch) {
    let i = this.start + this.#firstAtOrAfter(from);
    let j = this.start + this.#firstAtOrAfter(to);
    i = Math.max(this.start, i - 1);
    j = Math.min(this.end, j + 1);
    const parts = this.columns.map((column) => column.subarray(i, j));
    if (this.lastHole < 0 || this.arrived - (this.end - i) > this.lastHole) {
      return parts;
    }
    for (let s = 1; s < parts.length; s++) {
      parts[s] = plain(parts[s], (scratch[s] ??= []));
    }
    return parts;
  }

  /** Give the newest finite value of a series at or before a row, looking a little back. */
  latest(series, before = Infinity) {
    const column = this.columns[series + 1];
    let row = this.end - 1;
    if (before !== Infinity) {
      const next = this.start + this.#firstAtOrAfter(before);
      row = next < this.end && this.columns[0][next] <= before ? next : next - 1;
    }
    for (let tries = 0; row >= this.start && tries < 64; row--, tries++) {
      if (Number.isFinite(column[row]) && column[row] !== ABSENT) {
        return column[row];
      }
    }
    return NaN;
  }

  #firstAtOrAfter(time) {
    const times = this.columns[0];
    let low = this.start;
    let high = this.end;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (times[middle] < time) {
        low = middle + 1;
      } else {
        high = middle;
      }
    }
    return low - this.start;
  }

  #room(rows) {
    if (this.end + rows > 2 * this.keep) {
      const kept = Math.min(this.length, this.keep - Math.min(rows, this.keep));
      for (const column of this.columns) {
        column.copyWithin(0, this.end - kept, this.end);
      }
      this.start = 0;
      this.end = kept;
    }
  }

  #grew(rows, hole) {
    this.end += rows;
    this.arrived += rows;
    if (hole) {
      this.lastHole = this.arrived;
    }
    this.start = Math.max(this.start, this.end - this.keep);
  }
}

// uPlot breaks a line at null and goes on over undefined.
function plain(column, out) {
  const rows = column.length;
  out.length = rows;
  for (let i = 0; i < rows; i++) {
    const value = column[i];
    out[i] = value === ABSENT ? undefined : Number.isFinite(value) ? value : null;
  }
  return out;
}
