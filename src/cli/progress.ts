import cliProgress from 'cli-progress';

/** A progress bar on stderr; silent where stderr is no terminal, so that logs stay readable. */
export interface Progress {
  /** `done` of `total`, with a few words on what is being done. */
  update(done: number, what?: string): void;
  stop(): void;
}

export function startProgress(title: string, total: number): Progress {
  if (!process.stderr.isTTY) {
    return { update: () => undefined, stop: () => undefined };
  }
  const bar = new cliProgress.SingleBar({
    format: `${title} {bar} {value}/{total} {what}`,
    stream: process.stderr,
    clearOnComplete: true,
    hideCursor: true,
    barCompleteChar: '█',
    barIncompleteChar: '░',
    barsize: 24,
  });
  bar.start(total, 0, { what: '' });
  return {
    update: (done, what = '') => {
      bar.update(done, { what });
    },
    stop: () => {
      bar.stop();
    },
  };
}
