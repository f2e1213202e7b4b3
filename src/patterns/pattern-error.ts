/**
 * The text is not a regular expression that can be matched in linear time. `message`: the reason and an
 * alternative, as the rest of a sentence. `offset`: the place in the text.
 */
export class PatternError extends Error {
  override readonly name = 'PatternError';
  readonly offset: number;

  constructor(message: string, offset: number) {
    super(message);
    this.offset = offset;
  }
}
