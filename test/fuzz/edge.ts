/** Where something from outside comes in. Both sides of a fuzz test (the one that draws, the one that reads) see this table. */
export interface Edge {
  /** Valid inputs as JSON values. */
  readonly inputs: readonly unknown[];
  /** How a value stands on the wire. `space` is put where white space means nothing. */
  write(value: unknown, space: string): string;
  /** Reads bytes as the product does: gives what it understood, or the named error that it refused them with. */
  read(bytes: Buffer): Promise<Outcome> | Outcome;
}

/** `unexpected`: something was thrown that has no name; a fault of ours whatever the input was. */
export type Outcome =
  | { readonly end: 'understood'; readonly value: unknown }
  | { readonly end: 'refused'; readonly reason: string }
  | { readonly end: 'unexpected'; readonly what: string };

export type Answer = Outcome & {
  /** Of the reading thread, ms. */
  readonly cpuMs: number;
};
