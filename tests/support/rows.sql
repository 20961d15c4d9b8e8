-- tables
SELECT oid::regclass::text FROM pg_class
 WHERE relnamespace = 'public'::regnamespace AND relkind IN ('r', 'p') AND NOT relispartition
   AND relname <> 'alembic_version'

-- columns
-- Every column that an insert must give a value, of the tables that may be empty: its type, the values that a check allows,
-- and what it refers to. Defaults are left to themselves, but for columns of foreign keys.
SELECT c.oid::regclass::text AS table_name, a.attname::text AS name, format_type(a.atttypid, NULL) AS type,
       a.attlen AS size, (SELECT substring(pg_get_constraintdef(k.oid) FROM '''([^'']*)''') FROM pg_constraint k
         WHERE k.conrelid = c.oid AND k.contype = 'c' AND k.conkey[1] = a.attnum LIMIT 1) AS allowed,
       f.confrelid::regclass::text AS parent, f.attname::text AS parent_column
  FROM pg_class c
  JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
  LEFT JOIN LATERAL (SELECT k.confrelid, p.attname FROM pg_constraint k
                       JOIN pg_attribute p ON p.attrelid = k.confrelid AND p.attnum = k.confkey[array_position(k.conkey, a.attnum)]
                      WHERE k.conrelid = c.oid AND k.contype = 'f' AND a.attnum = ANY (k.conkey) LIMIT 1) AS f ON true
 WHERE c.relnamespace = 'public'::regnamespace AND c.relkind IN ('r', 'p') AND NOT c.relispartition
   AND c.relname <> 'alembic_version' AND a.attidentity = '' AND a.attgenerated = ''
   AND (a.attnotnull AND NOT a.atthasdef OR f.confrelid IS NOT NULL AND f.confrelid <> c.oid AND NOT a.atthasdef)
 ORDER BY c.relname, a.attnotnull DESC, a.attnum
