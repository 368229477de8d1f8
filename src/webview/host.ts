import { config, type ZodType } from 'zod';
import { hostMessageSchema, type HostMessage, type WebviewMessage } from '../core/webview-protocol.ts';

/** The extension host, as a page sees it: intents go out, validated messages come in. */
export interface Bridge<Out, In> {
  post(message: Out): void;
  /** A message that is none of ours counts as a gap: `onInvalid` asks for a snapshot. */
  listen(onMessage: (message: In) => void, onInvalid: () => void): void;
  /** Keeps what brings the page back after a reload of the window. */
  keep(state: unknown): void;
}

export type HostBridge = Bridge<WebviewMessage, HostMessage>;

interface VsCodeApi {
  postMessage(message: unknown): void;
  setState(state: unknown): void;
}

declare function acquireVsCodeApi(): VsCodeApi;

/** Connects the chat to the host; one connection per page. */
export function connectHost(): HostBridge {
  return connectPage(hostMessageSchema);
}

/** Connects a page whose host sends messages of this shape; one connection per page. */
export function connectPage<Out, In>(schema: ZodType<In>): Bridge<Out, In> {
  // The page's policy forbids code made from text, and zod would try.
  config({ jitless: true });
  const api = acquireVsCodeApi();
  return {
    post: (message) => {
      api.postMessage(message);
    },
    listen: (onMessage, onInvalid) => {
      window.addEventListener('message', (event: MessageEvent<unknown>) => {
        const parsed = schema.safeParse(event.data);
        if (parsed.success) onMessage(parsed.data);
        else onInvalid();
      });
    },
    keep: (state) => {
      api.setState(state);
    },
  };
}
