/** A scoring server other than the local engine, as a profile or the command line names it. */
export interface RemoteServer {
  /** With or without the final `/v1`. */
  readonly url: string;
  /** Null: the first model that the server lists. */
  readonly model: string | null;
  readonly apiKey: string | null;
  /** Folder with the scorer's tokenizer (`tokenizer.json` and its configuration); null: what the server itself offers. */
  readonly tokenizer: string | null;
  /** The longest silence, ms, before a request counts as hung. */
  readonly silenceMs?: number | undefined;
}
