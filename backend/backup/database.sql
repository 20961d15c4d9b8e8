-- tables
-- The tables of public, by name; partitions count with their table.
SELECT relname::text FROM pg_class
 WHERE relnamespace = 'public'::regnamespace AND relkind IN ('r', 'p') AND NOT relispartition
   AND NOT EXISTS (SELECT FROM pg_depend d
                    WHERE d.classid = 'pg_class'::regclass AND d.objid = pg_class.oid AND d.deptype = 'e')
 ORDER BY 1

-- others
-- Sessions of Fuze in this database; names of applications are shown to everybody.
SELECT count(*) FROM pg_stat_activity
 WHERE datname = current_database() AND application_name = 'fuze' AND pid <> pg_backend_pid()

-- drop_everything
-- All that is in the schemas of Fuze, but for extensions: the role that restores may not be allowed to make them again.
DROP SCHEMA IF EXISTS activity_partitions CASCADE;
DO $$
DECLARE
    found record;
BEGIN
    FOR found IN
        SELECT kind, name FROM (
            SELECT 'pg_class'::regclass AS class, oid, oid::regclass::text AS name, 1 AS turn,
                   CASE relkind WHEN 'v' THEN 'VIEW' WHEN 'm' THEN 'MATERIALIZED VIEW' WHEN 'S' THEN 'SEQUENCE'
                                WHEN 'f' THEN 'FOREIGN TABLE' ELSE 'TABLE' END AS kind
              FROM pg_class WHERE relnamespace = 'public'::regnamespace AND relkind IN ('r', 'p', 'v', 'm', 'S', 'f')
            UNION ALL
            SELECT 'pg_proc'::regclass, oid, oid::regprocedure::text, 2, 'ROUTINE'
              FROM pg_proc WHERE pronamespace = 'public'::regnamespace
            UNION ALL
            SELECT 'pg_type'::regclass, oid, oid::regtype::text, 3, 'TYPE'
              FROM pg_type
             WHERE typnamespace = 'public'::regnamespace AND (typtype IN ('d', 'e', 'r')
                OR typtype = 'c' AND (SELECT relkind FROM pg_class WHERE oid = typrelid) = 'c')
        ) AS things
         WHERE NOT EXISTS (SELECT FROM pg_depend d WHERE d.classid = things.class AND d.objid = things.oid
                                                     AND d.objsubid = 0 AND d.deptype IN ('e', 'i'))
         ORDER BY turn
    LOOP
        EXECUTE format('DROP %s IF EXISTS %s CASCADE', found.kind, found.name);
    END LOOP;
END $$;
