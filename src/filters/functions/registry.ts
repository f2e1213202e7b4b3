import { cef, leef } from './cef.ts';
import { cidr } from './cidr.ts';
import { lower, number, upper } from './convert.ts';
import { csv } from './csv.ts';
import type { FilterFunction } from './filter-function.ts';
import { geoip } from './geoip.ts';
import { grok, regex } from './grok.ts';
import { hash } from './hash.ts';
import { json } from './json.ts';
import { lookup } from './lookup.ts';
import { mask } from './mask.ts';
import { kv, logfmtFunction } from './pairs.ts';
import { replace } from './replace.ts';
import { resource } from './resource.ts';
import { sample } from './sample.ts';
import { timestamp } from './timestamp.ts';
import { useragent } from './useragent.ts';

/** All functions of the filter language. */
export const FILTER_FUNCTIONS: ReadonlyMap<string, FilterFunction> = new Map(
  [
    ...[grok, regex, kv, csv, json, cef, leef, logfmtFunction, geoip, useragent],
    ...[cidr, timestamp, number, lower, upper, replace, mask, hash, sample, lookup, resource],
  ].map((each) => [each.name, each]),
);
