// Numbers with their units and times, as people write them.

const SI = [[1e12, "T"], [1e9, "G"], [1e6, "M"], [1e3, "k"]];
const BYTES = { bytes: "B", byte: "B", B: "B", "bytes/s": "B/s", "B/s": "B/s" };
const SECONDS = new Set(["s", "seconds", "second"]);

function three(value) {
  const size = Math.abs(value);
  if (size === 0) {
    return "0";
  }
  if (size >= 1000) {
    return String(Math.round(value));
  }
  if (size < 1e-3) {
    return value.toExponential(1);
  }
  return String(Number(value.toPrecision(3)));
}

/** Give [number, unit] with a fitting prefix. */
export function human(value, unit = "") {
  if (value === null || value === undefined || Number.isNaN(value)) {
    return ["–", ""];
  }
  if (!Number.isFinite(value)) {
    return [value > 0 ? "∞" : "−∞", ""];
  }
  const size = Math.abs(value);
  if (unit === "ratio") {
    return [three(value * 100), "%"];
  }
  if (unit in BYTES) {
    for (const [least, prefix] of SI) {
      if (size >= least) {
        return [three(value / least), prefix + BYTES[unit]];
      }
    }
    return [three(value), BYTES[unit]];
  }
  if (SECONDS.has(unit)) {
    if (size >= 7200) {
      return [three(value / 3600), "h"];
    }
    if (size >= 120) {
      return [three(value / 60), "min"];
    }
    if (size >= 1 || size === 0) {
      return [three(value), "s"];
    }
    return size >= 1e-3 ? [three(value * 1e3), "ms"] : [three(value * 1e6), "µs"];
  }
  const shown = unit === "1/s" ? "/s" : unit;
  for (const [least, prefix] of SI) {
    if (size >= Math.max(least, 1e4)) {
      return [three(value / least) + prefix, shown];
    }
  }
  return [three(value), shown];
}

/** Give one text of number and unit. */
export function text(value, unit = "") {
  const [number, shown] = human(value, unit);
  const tight = shown === "%" || shown === "/s" || shown === "";
  return tight ? number + shown : `${number} ${shown}`;
}

const two = (number) => String(number).padStart(2, "0");

/** Write a time (seconds, UTC) as a clock shows it. */
export function clock(seconds, withSeconds = true) {
  const at = new Date(seconds * 1000);
  const minutes = `${two(at.getUTCHours())}:${two(at.getUTCMinutes())}`;
  return withSeconds ? `${minutes}:${two(at.getUTCSeconds())}` : minutes;
}

/** Write a time with its day. */
export function moment(seconds) {
  const at = new Date(seconds * 1000);
  const day = `${at.getUTCFullYear()}-${two(at.getUTCMonth() + 1)}-${two(at.getUTCDate())}`;
  return `${day} ${clock(seconds)}`;
}

/** Labels of a time axis: the day where it changes or comes first. */
export function timeLabels(splits, increment) {
  let day = "";
  return splits.map((seconds) => {
    if (seconds === null || seconds === undefined) {
      return "";
    }
    const at = new Date(seconds * 1000);
    const today = `${two(at.getUTCMonth() + 1)}-${two(at.getUTCDate())}`;
    if (increment >= 86400) {
      return today;
    }
    const label = clock(seconds, increment < 60);
    if (increment < 1) {
      return `${label}.${String(Math.round((seconds % 1) * 10))}`;
    }
    const first = day !== "" && day !== today;
    day = today;
    return first ? `${today} ${label}` : label;
  });
}

/** Write a length of time in seconds shortly. */
export function span(seconds) {
  if (seconds < 60) {
    return `${Math.round(seconds)} s`;
  }
  return seconds < 7200 ? `${Math.round(seconds / 60)} min` : `${Math.round(seconds / 3600)} h`;
}
