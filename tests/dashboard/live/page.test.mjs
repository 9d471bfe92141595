import assert from "node:assert/strict";
import test from "node:test";
import { ABSENT, decode } from "../../../monitorlab/static/src/codec.js";
import { History } from "../../../monitorlab/static/src/history.js";
import { human, span, text, timeLabels } from "../../../monitorlab/static/src/format.js";
import { Page } from "../../../monitorlab/static/src/page.js";

const floats = (...numbers) => Float64Array.from(numbers);

test("a block is read from a buffer that is not aligned", () => {
  const bytes = new Uint8Array(4 + 32);
  bytes.set(new Uint8Array(floats(1, 2, 5, 6).buffer), 4);
  const [block] = decode([[3, 2, 1]], new DataView(bytes.buffer, 4));
  assert.equal(block.panel, 3);
  assert.deepEqual([...block.times], [1, 2]);
  assert.deepEqual([...block.series[0]], [5, 6]);
});

test("a buffer that is too short is refused", () => {
  assert.throws(() => decode([[0, 2, 1]], new DataView(new ArrayBuffer(16))), RangeError);
});

test("a history keeps the newest rows and stays one piece", () => {
  const history = new History(1, 100);
  for (let i = 0; i < 1000; i += 10) {
    const times = Float64Array.from({ length: 10 }, (_, k) => i + k);
    history.append(times, [times.map((t) => t * 2)]);
    assert.ok(history.length <= 100);
  }
  assert.equal(history.oldest, 900);
  assert.equal(history.newest, 999);
  const [times, values] = history.slice(950, 959, []);
  assert.deepEqual([...times], [949, 950, 951, 952, 953, 954, 955, 956, 957, 958, 959]);
  assert.deepEqual([...values], [...times].map((t) => t * 2));
});

test("a block larger than what is kept leaves its newest rows", () => {
  const history = new History(1, 50);
  const times = Float64Array.from({ length: 500 }, (_, k) => k);
  history.append(times, [times]);
  assert.equal(history.length, 50);
  assert.equal(history.oldest, 450);
});

test("rows from the first time of a block on make way for it", () => {
  const history = new History(1, 50);
  history.append(floats(1, 2, 3, 4), [floats(1, 2, 3, 4)]);
  history.append(floats(3, 5), [floats(30, 50)]);
  const [times, values] = history.slice(0, 9, []);
  assert.deepEqual([...times], [1, 2, 3, 5]);
  assert.deepEqual([...values], [1, 2, 30, 50]);
});

test("NaN breaks a line, a missing sample does not", () => {
  const history = new History(2, 50);
  history.append(floats(1, 2, 3), [floats(1, NaN, Infinity), floats(1, ABSENT, 3)]);
  const [, first, second] = history.slice(0, 9, []);
  assert.deepEqual(first, [1, null, null]);
  assert.deepEqual(second, [1, undefined, 3]);
  assert.equal(history.latest(0), 1);
  assert.equal(history.latest(1), 3);
});

test("lines without holes are drawn without a copy", () => {
  const history = new History(1, 50);
  history.append(floats(1, 2), [floats(1, NaN)]);
  history.append(floats(...Array(60).keys()).map((t) => t + 10), [new Float64Array(60)]);
  const [, values] = history.slice(30, 40, []);
  assert.ok(values instanceof Float64Array);
});

function makePage() {
  const sent = [];
  const frames = [];
  const page = new Page((content) => sent.push(content), {
    now: () => 0,
    frame: (run) => frames.push(run),
    painted: (run) => run(),
  });
  return { page, sent, frames };
}

const spec = (series, keep = 100) => ({ panels: [{ title: "up", kind: "line", series }], span: 60, keep });
const message = (n, times, extra = {}) => {
  const numbers = floats(...times, ...times);
  return [
    { k: "data", n, b: [[0, times.length, 1]], ...extra },
    [new DataView(numbers.buffer)],
  ];
};

test("messages of one frame are taken together and the newest is acknowledged", () => {
  const { page, sent, frames } = makePage();
  let drawn = 0;
  page.views.add({ onScreen: true, draw: () => drawn++ });
  page.receive(...message(1, [1, 2], { spec: spec(["up"]) }));
  page.receive(...message(2, [3]));
  assert.equal(frames.length, 1);
  frames[0]();
  assert.equal(drawn, 1);
  assert.equal(page.newest, 3);
  assert.deepEqual(sent.map((m) => [m.k, m.n]), [["ack", 2]]);
});

test("what does not ask is told of with the next answer", () => {
  const { page, sent, frames } = makePage();
  page.views.add({ onScreen: true, draw: () => {} });
  page.receive(...message(1, [1], { spec: spec(["up"]), q: 0 }));
  frames.shift()();
  assert.deepEqual(sent, []);
  page.receive(...message(2, [2], { q: 1 }));
  page.receive(...message(3, [3], { q: 0 }));
  frames.shift()();
  assert.equal(sent.length, 1);
  assert.equal(sent[0].n, 3);
  assert.deepEqual(sent[0].done.map(([n]) => n), [1, 2, 3]);
  for (let n = 4; n < 1000; n++) {
    page.receive(...message(n, [n], { q: 0 }));
    frames.shift()();
  }
  assert.ok(page.done.length <= 512);
  assert.equal(page.done.at(-1)[0], 999);
});

test("an update that takes long is answered though it does not ask", () => {
  const { page, sent, frames } = makePage();
  let now = 0;
  page.now = () => now;
  page.views.add({ onScreen: true, draw: () => (now += 300) });
  page.receive(...message(1, [1], { spec: spec(["up"]), q: 0 }));
  frames.shift()();
  assert.deepEqual(sent.map((m) => [m.n, m.took]), [[1, 300]]);
});

test("a message for a page that was here before is left out, but answered", async () => {
  const { page, sent } = makePage();
  page.receive(...message(7, [1, 2]));
  await null;
  assert.equal(page.histories.length, 0);
  assert.deepEqual(sent.map((m) => [m.k, m.n]), [["ack", 7]]);
});

test("a panel keeps its history while its lines stay the same", () => {
  const { page } = makePage();
  page.adopt(spec(["up"]));
  page.histories[0].append(floats(1), [floats(1)]);
  page.adopt({ ...spec(["up"]), theme: "dark" });
  assert.equal(page.histories[0].length, 1);
  page.adopt(spec(["a", "b"]));
  assert.equal(page.histories[0].length, 0);
});

test("a broken message is shown and does not stop the page", () => {
  const { page, sent, frames } = makePage();
  page.views.add({ onScreen: true, draw: () => {} });
  const error = console.error;
  console.error = () => {};
  page.receive({ k: "data", n: 1, spec: spec(["up"]), b: [[0, 9, 1]] }, [new DataView(new ArrayBuffer(8))]);
  frames[0]();
  console.error = error;
  assert.match(page.problem, /RangeError/);
  assert.equal(sent[0].n, 1);
});

test("numbers are written with their units", () => {
  assert.equal(text(0.257, "ratio"), "25.7%");
  assert.equal(text(1_500_000, "bytes"), "1.5 MB");
  assert.equal(text(0.0123, "s"), "12.3 ms");
  assert.equal(text(12_345, "1/s"), "12.3k/s");
  assert.deepEqual(human(NaN, "s"), ["–", ""]);
  assert.equal(span(300), "5 min");
  assert.deepEqual(timeLabels([86390, 86400], 10), ["23:59:50", "01-02 00:00:00"]);
});

test("the value at a time is the newest at or before it", () => {
  const history = new History(1, 50);
  history.append(floats(1, 2, 4), [floats(10, 20, 40)]);
  assert.equal(history.latest(0, 3), 20);
  assert.equal(history.latest(0, 4), 40);
  assert.equal(history.latest(0, 0), NaN);
  assert.equal(history.latest(0), 40);
});
