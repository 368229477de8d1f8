/** What the parent asks of a Python child, one JSON line of IPC each; `id` comes back with the answer. */
export type Request =
  /** Python literals to be encoded as values, asked before any code runs. */
  | { readonly id: number; readonly type: 'encode'; readonly literals: readonly string[] }
  /** Code to run, then expressions to evaluate in its globals, one after the other. */
  | {
      readonly id: number;
      readonly type: 'run';
      readonly code: string;
      readonly calls: readonly string[];
      /** After which the parent kills; a child that nobody kills any more ends itself a little later, ms. */
      readonly limitMs: number;
    };

/** First message of a child: ready, after which the bundle's and the interpreter's files may no longer be read by Python. */
export interface Ready {
  readonly type: 'ready';
}

/** Answer of the child: the harness's JSON text, or the child is broken and about to exit. */
export type Answer =
  | { readonly id: number; readonly type: 'done'; readonly json: string }
  | { readonly id: number; readonly type: 'broken'; readonly reason: string };
