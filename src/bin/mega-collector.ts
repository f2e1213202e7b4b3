#!/usr/bin/env node
import { EarlySignals } from '../cli/early-signals.ts';
import { enableCompileCache } from '../cli/enable-compile-cache.ts';

const SERVICES = ['aggregator', 'collector', 'standalone'];

// Signals are held before anything else is loaded: that takes a while, and a signal in it must not end the process
// halfway, nor a log rotation end what it wanted to reopen files.
const signals = new EarlySignals();
const isService = SERVICES.includes(process.argv[2] ?? '');
if (isService) signals.hold(['SIGTERM', 'SIGINT', 'SIGHUP']);

enableCompileCache(process.env);
const { main } = await import('../cli/main.ts');
await main(signals, isService);
