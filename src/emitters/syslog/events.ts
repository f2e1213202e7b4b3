import { outletEvents, outletMetrics } from '../outlet-events.ts';

export const SYSLOG_METRICS = outletMetrics('aggregator_emitter_syslog_', 'with frames');

export const SYSLOG_EVENTS = outletEvents(SYSLOG_METRICS);
