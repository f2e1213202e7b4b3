import { outletEvents, outletMetrics } from '../outlet-events.ts';

export const GELF_METRICS = outletMetrics('aggregator_emitter_gelf_', 'in wire format');

export const GELF_EVENTS = outletEvents(GELF_METRICS);
