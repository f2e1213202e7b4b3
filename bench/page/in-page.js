// Runs in the browser before the page: functions for bench/page/main.ts.

const observer = new MutationObserver(() => {
  if (document.querySelector('.row') === null) return;
  observer.disconnect();
  requestAnimationFrame(() => performance.mark('first-row'));
});
observer.observe(document, { childList: true, subtree: true });

const ROWS = /v1\/logs\?/;
const HISTOGRAM = /v1\/logs\/histogram\?/;
const FIELDS = /v1\/fields\?/;
const answerOf = (path) =>
  performance
    .getEntriesByType('resource')
    .find(({ name, responseEnd }) => path.test(name) && responseEnd > 0);
const firstRow = () => performance.getEntriesByName('first-row')[0];

const ROW_HEIGHT = 24;
const list = () => document.querySelector('.list');

window.megaCollectorBench = {
  /** Milliseconds from the end of the first answer of a search to the first rows. */
  firstRowsMs() {
    return firstRow().startTime - answerOf(ROWS).responseEnd;
  },

  /** All parts of a search have their answer, and the rows are there. */
  isLoaded() {
    return (
      [ROWS, HISTOGRAM, FIELDS].every((each) => answerOf(each) !== undefined) && firstRow() !== undefined
    );
  },

  /** Milliseconds for each part of a search. */
  timings() {
    const [rows, histogram, fields] = [ROWS, HISTOGRAM, FIELDS].map(answerOf);
    return {
      rowsMs: rows.duration,
      firstRowsMs: firstRow().startTime - rows.responseEnd,
      histogramMs: histogram.duration,
      fieldsMs: fields.duration,
    };
  },

  /** Scrolls to the end until so many rows are loaded; resolves with their number. */
  async loadRows(rows, timeoutMs) {
    const deadline = performance.now() + timeoutMs;
    const count = () => Math.round(list().scrollHeight / ROW_HEIGHT);
    while (count() < rows && performance.now() < deadline) {
      list().scrollTop = list().scrollHeight;
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
    return count();
  },

  /** Scrolls up a screen in ten frames, for this time. */
  async scrollFrames(ms) {
    const frame = () => new Promise((resolve) => requestAnimationFrame(resolve));
    const begin = await frame();
    let before = begin;
    let frames = 0;
    let longestMs = 0;
    while (before - begin < ms) {
      list().scrollTop -= list().clientHeight / 10;
      const now = await frame();
      longestMs = Math.max(longestMs, now - before);
      before = now;
      frames++;
    }
    return { perSecond: frames / ((before - begin) / 1000), longestMs };
  },
};
