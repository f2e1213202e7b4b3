/** The source of syslog-ng that reads the log files of a directory: large fetches and windows, no parsing. */
export function tailingSyslogNg(logDirectory: string): string {
  return `source tailed {
  wildcard-file(
    base-dir("${logDirectory}") filename-pattern("*.log") monitor-method(inotify)
    flags(no-parse)            # the message is the line
    log-fetch-limit(1000)      # lines read in one turn
    log-iw-size(100000)        # lines on the way, with flow control
    follow-freq(0.1)
  );
};`;
}
