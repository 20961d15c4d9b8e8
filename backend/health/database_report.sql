-- tables
-- Sizes with indexes and long values; partitions count with their table. Bloat is estimated from the dead rows that the
-- statistics count: pgstattuple, which would measure it, is not installed everywhere.
SELECT c.oid::regclass::text AS name, s.rows, s.dead_rows, s.bytes AS table_bytes, s.index_bytes,
       round(100.0 * s.dead_rows / nullif(s.rows + s.dead_rows, 0), 1)::float AS dead_percent,
       (s.bytes * s.dead_rows / nullif(s.rows + s.dead_rows, 0))::bigint AS bloat_bytes,
       s.vacuumed_at, s.analyzed_at
  FROM pg_class c
 CROSS JOIN LATERAL (
       SELECT coalesce(sum(u.n_live_tup), 0)::bigint AS rows, coalesce(sum(u.n_dead_tup), 0)::bigint AS dead_rows,
              sum(pg_table_size(t.relid))::bigint AS bytes, sum(pg_indexes_size(t.relid))::bigint AS index_bytes,
              max(greatest(u.last_vacuum, u.last_autovacuum)) AS vacuumed_at,
              max(greatest(u.last_analyze, u.last_autoanalyze)) AS analyzed_at
         FROM (SELECT c.oid AS relid UNION SELECT p.relid FROM pg_partition_tree(c.oid) p) AS t
         LEFT JOIN pg_stat_user_tables u ON u.relid = t.relid) AS s
 WHERE c.relnamespace = 'public'::regnamespace AND c.relkind IN ('r', 'p') AND NOT c.relispartition
 ORDER BY s.bytes + s.index_bytes DESC, 1

-- indexes
SELECT i.indexrelid::regclass::text AS name, i.indrelid::regclass::text AS table_name,
       pg_relation_size(i.indexrelid) AS bytes, coalesce(s.idx_scan, 0) AS scans
  FROM pg_index i
  JOIN pg_class c ON c.oid = i.indexrelid AND c.relkind = 'i'
  LEFT JOIN pg_stat_user_indexes s ON s.indexrelid = i.indexrelid
 WHERE c.relnamespace IN ('public'::regnamespace, to_regnamespace('activity_partitions'))
 ORDER BY bytes DESC, 1
 LIMIT 50

-- unused_indexes
-- Never scanned since the statistics began. Unique ones hold a rule and stay; on a small table nothing is scanned.
SELECT s.indexrelid::regclass::text AS name, s.relid::regclass::text AS table_name,
       pg_relation_size(s.indexrelid) AS bytes
  FROM pg_stat_user_indexes s
  JOIN pg_index i ON i.indexrelid = s.indexrelid AND NOT i.indisunique AND i.indisvalid
  JOIN pg_class t ON t.oid = s.relid
 WHERE s.schemaname = 'public' AND s.idx_scan = 0 AND t.reltuples >= 1000
 ORDER BY bytes DESC, 1

-- invalid_indexes
-- What CREATE INDEX CONCURRENTLY leaves where it is broken off: written to, and read by nobody.
SELECT indexrelid::regclass::text AS name, indrelid::regclass::text AS table_name,
       pg_relation_size(indexrelid) AS bytes
  FROM pg_index
  JOIN pg_class c ON c.oid = indexrelid
 WHERE NOT indisvalid AND c.relnamespace = 'public'::regnamespace
 ORDER BY 1

-- duplicate_indexes
-- Same table, columns, order, operators, condition and expressions.
SELECT array_agg(indexrelid::regclass::text ORDER BY NOT indisunique, indexrelid::regclass::text) AS names,
       indrelid::regclass::text AS table_name, sum(pg_relation_size(indexrelid))::bigint AS bytes
  FROM pg_index
  JOIN pg_class c ON c.oid = indexrelid
 WHERE c.relnamespace = 'public'::regnamespace
 GROUP BY indrelid, c.relam, indkey::text, indclass::text, indoption::text, indcollation::text,
          pg_get_expr(indexprs, indrelid), pg_get_expr(indpred, indrelid)
HAVING count(*) > 1
 ORDER BY bytes DESC

-- foreign_keys_without_index
-- Each deletion in the other table then reads this one whole.
SELECT c.conname::text AS name, c.conrelid::regclass::text AS table_name, c.confrelid::regclass::text AS parent
  FROM pg_constraint c
 WHERE c.contype = 'f' AND c.connamespace = 'public'::regnamespace
   AND NOT EXISTS (SELECT FROM pg_index i
                    WHERE i.indrelid = c.conrelid AND i.indisvalid
                      AND (i.indpred IS NULL OR pg_get_expr(i.indpred, i.indrelid) ~ '^\(?\(?\w+ IS NOT NULL\)?\)?$')
                      AND (i.indkey::int2[])[0:cardinality(c.conkey) - 1] @> c.conkey)
 ORDER BY 1

-- statements
-- The ten statements that took longest in all; texts have placeholders for values.
SELECT calls, round(total_exec_time::numeric, 1)::float AS total_ms, round(mean_exec_time::numeric, 2)::float AS mean_ms,
       rows, regexp_replace(query, '\s+', ' ', 'g') AS statement
  FROM pg_stat_statements
 WHERE dbid = (SELECT oid FROM pg_database WHERE datname = current_database())
 ORDER BY total_exec_time DESC
 LIMIT 10

-- database
SELECT current_database()::text AS name, pg_database_size(current_database()) AS bytes,
       current_setting('server_version') AS server, s.stats_reset AS statistics_since,
       EXISTS (SELECT FROM pg_extension WHERE extname = 'pg_stat_statements') AS has_statements
  FROM pg_stat_database s WHERE s.datname = current_database()
