import { structuredPatch } from 'diff';

/** Longest change that is spelled out to the agent, in UTF-16 units. */
const LONGEST = 20_000;

/**
 * What the developer made of proposed code before accepting it, as the agent reads it: the lines that differ between the document
 * with the proposal as it came and with the proposal as it was accepted. Null where they are the same but for line ends.
 */
export function editObservation(proposed: string, accepted: string): string | null {
  const plain = (text: string): string => text.replaceAll('\r\n', '\n');
  const { hunks } = structuredPatch('', '', plain(proposed), plain(accepted), '', '', { context: 1 });
  if (hunks.length === 0) return null;
  const lines = hunks.flatMap((hunk) => ['@@', ...hunk.lines]);
  const patch = lines.join('\n');
  if (patch.length > LONGEST) {
    const changed = lines.filter((line) => /^[+-]/.test(line)).length;
    return `I accepted the code after I had changed it in ${changed} lines.`;
  }
  return `I accepted the code with these changes:\n\`\`\`diff\n${patch}\n\`\`\``;
}
