import type { PatternNode } from '../../patterns/pattern-node.ts';

/**
 * Whether a search can read far after the end of its match: a part that is optional, or one of several, has a
 * loop that must be followed by something else (`a.*b|a`). Then the search for each match can read the whole
 * rest of the text.
 */
export function readsAfterMatch(node: PatternNode, isOptional = false, isFollowed = false): boolean {
  switch (node.kind) {
    case 'set':
    case 'assertion':
      return false;
    case 'capture':
      return readsAfterMatch(node.node, isOptional, isFollowed);
    case 'choice':
      return node.nodes.some((each) => readsAfterMatch(each, true, isFollowed));
    case 'sequence':
      return node.nodes.some((each, at) =>
        readsAfterMatch(each, isOptional, isFollowed || node.nodes.slice(at + 1).some(isNeeded)),
      );
    case 'repetition': {
      const isLoop = node.max > MANY_TIMES;
      if (isLoop && isOptional && isFollowed) return true;
      const isRepeated = node.max > 1;
      return readsAfterMatch(node.node, isOptional || node.min === 0 || isRepeated, isFollowed || isRepeated);
    }
  }
}

const MANY_TIMES = 20;

/** Whether the part needs a character, or a place in the text. */
function isNeeded(node: PatternNode): boolean {
  switch (node.kind) {
    case 'set':
    case 'assertion':
      return true;
    case 'capture':
      return isNeeded(node.node);
    case 'choice':
      return node.nodes.every(isNeeded);
    case 'sequence':
      return node.nodes.some(isNeeded);
    case 'repetition':
      return node.min > 0 && isNeeded(node.node);
  }
}
