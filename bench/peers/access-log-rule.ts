/** The Combined Log Format as a rule of liblognorm, for rsyslog's mmnormalize: `rule=${ACCESS_LOG_RULE}`. */
export const ACCESS_LOG_RULE = JSON.stringify([
  'rule=:%client:word% %ident:word% %user:word% [%time:char-to:]%] "%method:word% %path:word% HTTP/%version:char-to:"%" ' +
    '%status:word% %size:word% "%referer:char-to:"%" "%agent:char-to:"%"',
]);
