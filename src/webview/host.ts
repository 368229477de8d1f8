import { config } from 'zod';
import { hostMessageSchema, type HostMessage, type WebviewMessage } from '../core/webview-protocol.ts';

/** The extension host, as the page sees it: intents go out, validated messages come in. */
export interface HostBridge {
  post(message: WebviewMessage): void;
  /** A message that is none of ours counts as a gap: `onInvalid` asks for a snapshot. */
  listen(onMessage: (message: HostMessage) => void, onInvalid: () => void): void;
}

interface VsCodeApi {
  postMessage(message: unknown): void;
}

declare function acquireVsCodeApi(): VsCodeApi;

/** Connects to the host; may be called once per page. */
export function connectHost(): HostBridge {
  // The page's policy forbids code made from text, and zod would try.
  config({ jitless: true });
  const api = acquireVsCodeApi();
  return {
    post: (message) => {
      api.postMessage(message);
    },
    listen: (onMessage, onInvalid) => {
      window.addEventListener('message', (event: MessageEvent<unknown>) => {
        const parsed = hostMessageSchema.safeParse(event.data);
        if (parsed.success) onMessage(parsed.data);
        else onInvalid();
      });
    },
  };
}
