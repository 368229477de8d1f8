import type { ChatSurroundings } from '../../src/core/chat-view.ts';

/** A chat around which nothing happens: no notice, no context, nothing streaming, nothing typed. */
export const calm: ChatSurroundings = {
  chatServer: { name: 'engine', remote: false },
  notice: null,
  warning: null,
  examples: [],
  blocked: null,
  context: [],
  approval: null,
  testCommand: null,
  streaming: null,
  draft: '',
  edit: null,
  versions: () => null,
  shown: 40,
};
