import type { WebviewMessage } from '../../core/webview-protocol.ts';
import type { Host } from '../host.ts';

/** Files shown behind an `@`. */
const SHOWN_FILES = 12;

type ContextIntent = Extract<WebviewMessage, { type: 'find_files' | 'attach' | 'detach' | 'toggle_active' }>;

/** What the developer does with the chips. Throws `TurnwiseError` where a file must not go along. */
export async function followContextIntent({ context, chat }: Host, intent: ContextIntent): Promise<void> {
  switch (intent.type) {
    case 'find_files':
      chat.files(intent.query, await context.files.find(intent.query, SHOWN_FILES));
      return;
    case 'attach':
      return context.addFile(intent.path);
    case 'detach':
      context.remove(intent.chip);
      return;
    case 'toggle_active':
      return context.toggleActive();
    default:
      intent satisfies never;
  }
}

/** The command of the editor's menu: what is selected goes with the next message, and the chat is ready for the words. */
export async function addSelection({ context, chat }: Host): Promise<void> {
  context.addSelection();
  await chat.focus();
}
