/** A phrase that is hard to read, and the words to use. */
export interface BannedPhrase {
  readonly pattern: RegExp;
  /** Why, and the phrase to use. */
  readonly instead: string;
}

/** Where a sentence begins; ¶ is the end of a paragraph. */
const BEGIN = String.raw`(?:^|[.!?¶] |: |\) )`;
const VERB = '(?:is|are|was|were|has|have|gets?|stays?|comes?|goes|counts?|waits?)';
const NUMBERED =
  '(?:are|is|run|wait|may|that are|records?|bytes|lines|files|streams|times|ms\\b|seconds|days)';

/** Without regard to case, unless the phrase begins a sentence. */
function phrase(pattern: string, instead: string, flags = 'i'): BannedPhrase {
  return { pattern: new RegExp(pattern, flags), instead };
}

const sentence = (pattern: string, instead: string) => phrase(`${BEGIN}${pattern}`, instead, '');

/**
 * Phrases that readers with another first language have to read twice. Each pattern has few false alarms; a
 * sentence that is correct and yet found here is better written in another way.
 */
export const BANNED_PHRASES: readonly BannedPhrase[] = [
  sentence(
    'What (?!is|are|does|do|did|has|have|happens?|to|a|an|the|you|if|can|should|kind|makes|runs|each|it|they|we|when|crosses)\\w',
    'begin with the noun: "Records that were read", not "What was read"',
  ),
  sentence(
    `What (?:is|are|was|were|has|have|it|they|we|each|can|a \\w+|the \\w+)\\b[^.?!:]*? ${VERB}\\b[^?]*?(?:[.!]|$)`,
    'begin with the noun: "Records that were read are kept", not "What was read is kept"',
  ),
  sentence('Who(?! am\\b)(?:ever)? [a-z]+[^?]*?(?:[.!]|$)', 'name the subject: "A client that disconnects"'),
  sentence(
    'Of (?:the|a|an|one|two|several|what|each|those|its)\\b(?! (?:the )?\\w+[.)])[^.,]*, ',
    'put the subject first: "The notes of one writer", not "Of one writer, those"',
  ),
  phrase('\\bwho(?:so)?m?ever\\b', '"the caller", "the client", "the operator"'),
  phrase('\\bwhatever (?:is|was|it|they|comes|came)\\b', '"any" and a noun'),
  phrase(
    '\\b(?:some|any|every|no)(?:body|one)\\b|\\bno one\\b',
    '"the operator", "another process", "no client"',
  ),
  phrase(`\\bso (?:many|much|long|far|old|large|often) ${NUMBERED}`, '"at most N", or the limit itself'),
  phrase('\\b(?:goes?|going|went|gone) on\\b(?! (?:the|a|an|disk)\\b)', '"continues"'),
  phrase('\\b(?:is|are|was|were|be|been|being) told\\b(?! apart)', '"is notified", "receives"'),
  phrase('\\btold to stop\\b', '"stopped by a signal"'),
  phrase('\\b(?:held|holds?|holding) (?:\\w+ ){0,3}against\\b', '"compares with"'),
  phrase('\\bturn(?:s|ed|ing)? (?:\\w+ )?away\\b', '"rejects"'),
  phrase('\\bgiv(?:e|es|en|ing) (?:\\w+ ){0,2}up\\b|\\bgave up\\b', '"discards", "stops trying"'),
  phrase('\\b(?:keep|keeps|kept|keeping) (?:house|books)\\b', '"maintenance", "records"'),
  phrase('\\bis it well\\b|\\b(?:is|are|all|be) well\\b(?![ -](?:known|formed|defined))', '"healthy"'),
  phrase('\\bthe process turns\\b', '"the event loop is running"'),
  phrase('\\b(?:he|she|his|her|him)\\b', '"it" for a program, "the operator" for a person'),
  phrase('\\b(?:far|furthest|further|lags?|runs?|is|are) behind\\b', '"late", "has a backlog", "is after"'),
  phrase(
    '\\b(?:comes?|came|lies|stands?|goes|cuts?|continues?|everything|bytes|what is) behind\\b',
    '"after" for an order',
  ),
  phrase(
    '\\bbehind (?:it|that|them|a tab|the (?:cursor|position|place|gap|end|last))\\b',
    '"after" for an order',
  ),
  phrase(
    '\\b(?:lies|lie|lay|stands|stood) (?:in|on|at|there|behind|beside|before|below|after|ready|beyond|outside|within|where|under|so)\\b',
    '"is", "are"',
  ),
  phrase('\\b(?:says? so|said so|said plainly|is said|are said)\\b', '"reports", "is logged"'),
  phrase('\\bby (?:its|their) own (?:word|account)\\b', '"according to"'),
  phrase('\\bsomething to say\\b', '"has results"'),
  phrase('\\bin vain\\b', '"without effect"'),
  phrase(
    '\\b(?:strangers?|heirs?|newcomers?|newborns?|birth notes?)\\b',
    'the vocabulary of ARCHITECTURE.md',
  ),
  phrase('\\bin force\\b', '"loaded"'),
  phrase('\\bgets? on\\b(?! (?:the|a)\\b)', '"progresses"'),
  phrase('\\b(?:and|or|lost|nothing|never|is|are|be) doubled\\b', '"duplicated"'),
  phrase('\\bcannot be[:.]', 'the reason: "Invalid options: ..."'),
  phrase('\\bhas not \\d|\\bthat (?:is|are) none\\b', '"must be 16 bytes, got 12", "invalid"'),
  phrase('\\bdead destination\\b', '"a destination that is down"'),
  phrase('\\bbalance adds up\\b', '"the totals match"'),
  phrase('\\bthe way out\\b', '"the function to unsubscribe", "the output"'),
  phrase('\\bto be (?:told|asked|had)\\b', 'an active verb'),
  phrase('\\basked for\\b', '"requested"'),
  phrase('\\bwants\\b', '"requires", "expects"'),
  phrase('\\bfor ever\\b', '"without limit"'),
  phrase('\\bnow and then\\b', '"periodically", with the interval'),
];

/** A log message is in sentence case, without a full stop. */
export const LOG_MESSAGE_WITH_FULL_STOP =
  /\.(?:trace|debug|info|warn|error|fatal)\((?:[^;']|'[^'\n]*'(?=\s*[:,}]))*?'([A-Z][^'\n]*\.)'\s*,?\s*\)/g;
