// What the kernel sends: a small header and one buffer of Float64 numbers.
//
// A block is [panel, rows, series] in the header and, in the buffer, its times (seconds) and
// then the values of one series after the other. NaN is a break in a line; ABSENT means that
// the series has no sample at that time, and its line goes on.

export const ABSENT = -Number.MAX_VALUE;

/** Give the blocks of a message as views over one aligned copy of its buffer. */
export function decode(blocks, buffer) {
  if (!blocks || blocks.length === 0) {
    return [];
  }
  const bytes = buffer.buffer.slice(buffer.byteOffset, buffer.byteOffset + buffer.byteLength);
  const found = [];
  let at = 0;
  for (const [panel, rows, count] of blocks) {
    const end = (at + rows * (count + 1)) * 8;
    if (end > bytes.byteLength) {
      throw new RangeError(`block of panel ${panel} ends at ${end} of ${bytes.byteLength} bytes`);
    }
    const times = new Float64Array(bytes, at * 8, rows);
    at += rows;
    const series = [];
    for (let i = 0; i < count; i++) {
      series.push(new Float64Array(bytes, at * 8, rows));
      at += rows;
    }
    found.push({ panel, times, series });
  }
  return found;
}
