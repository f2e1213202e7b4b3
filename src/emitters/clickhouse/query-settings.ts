import type { ClickHouseSettings } from '@clickhouse/client';

/** The meaning of every query: profiles of the server may have other values. */
export const QUERY_SETTINGS: ClickHouseSettings = {
  // Each record once: rows with the same identity count as one, also before they are merged.
  final: 1,
  // The day is part of the identity.
  do_not_merge_across_partitions_select_final: 1,
  // The index of texts leaves out rows before equal ones are compared. Equal rows are repetitions of one record, so
  // it does not matter which of them is found.
  use_skip_indexes_if_final: 1,
  use_skip_indexes_if_final_exact_mode: 0,
  // As in standard SQL.
  join_use_nulls: 1,
  aggregate_functions_null_for_empty: 1,
  cast_keep_nullable: 1,
  transform_null_in: 0,
  prefer_column_name_to_alias: 1,
  session_timezone: 'UTC',
  // The other parser reads some doubles with a wrong last digit.
  allow_simdjson: 1,
  output_format_json_quote_64bit_integers: 0,
  output_format_json_quote_denormals: 0,
  // Values are part of the text.
  max_query_size: '67108864',
  max_ast_elements: '1000000',
  max_expanded_ast_elements: '1000000',
  max_parser_depth: '10000',
};

/** A change is visible when its statement ends, on this server. */
export const CHANGE_SETTINGS: ClickHouseSettings = {
  ...QUERY_SETTINGS,
  async_insert: 0,
  mutations_sync: '1',
  allow_nondeterministic_mutations: 1,
};

/** An INSERT of the rows of a day is one block: it is stored completely or not at all. */
export const INSERT_SETTINGS: ClickHouseSettings = {
  async_insert: 0,
  insert_deduplicate: 1,
  max_insert_block_size: '16777216',
  min_insert_block_size_rows: '0',
  min_insert_block_size_bytes: '0',
  max_partitions_per_insert_block: '0',
  // The records of a block have different keys. Those of several blocks are compared when they are read, or merged.
  optimize_on_insert: 0,
  // Merges compute them.
  materialize_skip_indexes_on_insert: 0,
  materialize_statistics_on_insert: 0,
  session_timezone: 'UTC',
};
