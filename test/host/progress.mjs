import { clearInterval, setInterval } from 'node:timers';

const WIDTH = 24;

/**
 * Shows how far a piece of work of `total` steps has come: a bar that lives on one line of a terminal, plain lines elsewhere.
 * @param {string} title
 * @param {number} total
 */
export function startProgress(title, total) {
  const started = Date.now();
  let done = 0;
  let label = '';
  const seconds = () => `${((Date.now() - started) / 1000).toFixed(0)} s`;
  const draw = () => {
    const filled = Math.round((WIDTH * done) / total);
    const bar = '█'.repeat(filled) + '░'.repeat(WIDTH - filled);
    process.stderr.write(`\r\x1b[K${title} ${bar} ${label} · ${seconds()}`);
  };
  const ticking = process.stderr.isTTY ? setInterval(draw, 200).unref() : undefined;

  return {
    /**
     * Does one step under a label.
     * @template T
     * @param {string} what
     * @param {() => Promise<T>} work
     */
    async step(what, work) {
      label = what;
      if (ticking) draw();
      else console.error(`${title} [${done + 1}/${total}] ${what}`);
      const result = await work();
      done += 1;
      return result;
    },
    /** @param {string} outcome */
    end(outcome) {
      clearInterval(ticking);
      console.error(`${ticking ? '\r\x1b[K' : ''}${title}: ${outcome} after ${seconds()}`);
    },
  };
}

/** @typedef {ReturnType<typeof startProgress>} Progress */
