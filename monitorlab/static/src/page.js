// What one page knows of a live view: panels, their history, alerts, and when to answer.
//
// Messages are taken in at the next animation frame, all that have come by then together. Some
// of them ask for an answer; it goes once the frame has been painted. The kernel waits for it,
// so a page that is slow or hidden is sent less, and nothing piles up. The others go without:
// JupyterLab redraws its icons for each message that the kernel gets.
import { decode } from "./codec.js";
import { History } from "./history.js";

const RATE_WINDOW_MS = 3000;
const MOST_DONE = 512;
const SLOW_MS = 250; // an update that takes longer is told of at once, asked for or not

export class Page {
  constructor(send, { now = () => performance.now(), frame, painted } = {}) {
    this.id = Math.random().toString(36).slice(2, 10);
    this.send = send;
    this.now = now;
    // Both may be replaced in tests.
    this.frame = frame ?? ((run) => requestAnimationFrame(run));
    this.painted = painted ?? afterPaint;
    this.spec = null;
    this.histories = [];
    this.lanes = [];
    this.status = {};
    this.views = new Set();
    this.waiting = [];
    this.planned = false;
    this.done = []; // number and time of what was painted since the last answer
    this.arrivals = [];
    this.version = 0; // goes up when panels change
    this.span = 0;
    this.problem = "";
    this.heard = 0;
  }

  hello(span = 0) {
    this.send({ k: "hello", c: this.id, span });
  }

  bye() {
    this.send({ k: "bye", c: this.id });
  }

  receive(content, buffers) {
    if (content?.k !== "data") {
      return;
    }
    this.heard = this.now();
    this.waiting.push({ content, buffer: buffers?.[0], at: this.now() });
    if (this.planned) {
      return;
    }
    this.planned = true;
    if (this.isSeen()) {
      this.frame(() => this.flush());
    } else {
      queueMicrotask(() => this.flush());
    }
  }

  isSeen() {
    for (const view of this.views) {
      if (view.onScreen) {
        return true;
      }
    }
    return false;
  }

  flush() {
    this.planned = false;
    const batch = this.waiting;
    this.waiting = [];
    if (batch.length === 0) {
      return;
    }
    const begin = this.now();
    for (const message of batch) {
      try {
        this.take(message.content, message.buffer);
      } catch (error) {
        this.problem = String(error);
        console.error("monitorlab live view:", error);
      }
    }
    const seen = this.isSeen();
    for (const view of this.views) {
      view.draw();
    }
    const { content } = batch[batch.length - 1];
    const { at } = batch[0];
    const drew = this.now() - begin;
    const done = () => {
      const painted = Date.now();
      for (const message of batch) {
        this.done.push([message.content.n, painted]);
      }
      const took = this.now() - at;
      if (took > SLOW_MS || batch.some((message) => message.content.q !== 0)) {
        this.send({ k: "ack", c: this.id, n: content.n, seen, took, drew, done: this.done });
        this.done = [];
      }
      this.done.splice(0, this.done.length - MOST_DONE);
    };
    if (seen) {
      this.painted(done);
    } else {
      done();
    }
  }

  take(content, buffer) {
    if (content.spec) {
      this.adopt(content.spec);
    }
    if (!this.spec) {
      return; // meant for a page that was here before; the answer to our hello comes
    }
    let rows = 0;
    for (const { panel, times, series } of decode(content.b, buffer)) {
      rows += times.length * series.length;
      this.histories[panel]?.append(times, series);
    }
    if (content.a) {
      this.lanes = content.a;
    }
    if (content.s) {
      this.status = content.s;
    }
    this.arrivals.push([this.now(), content.full ? 0 : rows]);
  }

  adopt(spec) {
    const same = this.spec && JSON.stringify(this.spec) === JSON.stringify(spec);
    if (same) {
      return;
    }
    const before = this.spec;
    const old = this.histories;
    this.spec = spec;
    this.histories = spec.panels.map((panel, i) => {
      const known = before && before.keep === spec.keep && before.panels[i];
      const alike = known && JSON.stringify(known.series) === JSON.stringify(panel.series);
      return alike ? old[i] : new History(panel.series.length, spec.keep);
    });
    this.version += 1;
  }

  /** Updates and samples a second over the last moments. */
  rates() {
    const now = this.now();
    while (this.arrivals.length && this.arrivals[0][0] < now - RATE_WINDOW_MS) {
      this.arrivals.shift();
    }
    const seconds = RATE_WINDOW_MS / 1000;
    const rows = this.arrivals.reduce((sum, [, count]) => sum + count, 0);
    return { updates: this.arrivals.length / seconds, samples: rows / seconds };
  }

  /** Milliseconds since the last message. */
  silence() {
    return this.heard ? this.now() - this.heard : 0;
  }

  get newest() {
    return this.histories.reduce((best, h) => (h.newest > best ? h.newest : best), -Infinity);
  }

  get oldest() {
    return this.histories.reduce((best, h) => (h.oldest < best ? h.oldest : best), Infinity);
  }
}

// A message posted in a frame is handled after that frame has been painted.
function afterPaint(run) {
  const channel = new MessageChannel();
  channel.port1.onmessage = () => {
    channel.port1.close();
    run();
  };
  channel.port2.postMessage(0);
}
