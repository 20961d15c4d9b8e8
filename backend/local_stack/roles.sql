-- Run as a superuser, in the database of Fuze, at every start: safe to repeat. Tables that the superuser made in earlier
-- versions get their owner here.

-- Two roles that may do nothing of themselves.
DO $$
DECLARE
    name text;
BEGIN
    FOREACH name IN ARRAY ARRAY[{owner_name}, {application_name}] LOOP
        IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = name) THEN
            EXECUTE format('CREATE ROLE %I', name);
        END IF;
    END LOOP;
END $$;
ALTER ROLE {owner} LOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE NOREPLICATION NOBYPASSRLS PASSWORD {owner_password};
ALTER ROLE {application} LOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE NOREPLICATION NOBYPASSRLS PASSWORD {application_password};

-- The owner: everything that migrations make. What belongs to an extension stays the superuser's.
ALTER DATABASE {database} OWNER TO {owner};
ALTER SCHEMA public OWNER TO {owner};
DO $$
DECLARE
    found record;
BEGIN
    -- Sequences of columns and types of tables go along with these.
    FOR found IN
        SELECT format('%s %s', kind, name) AS thing FROM (
            SELECT 'pg_class'::regclass AS class, oid, relowner AS owner, oid::regclass::text AS name,
                   CASE relkind WHEN 'v' THEN 'VIEW' WHEN 'm' THEN 'MATERIALIZED VIEW' WHEN 'S' THEN 'SEQUENCE'
                                ELSE 'TABLE' END AS kind
              FROM pg_class WHERE relnamespace = 'public'::regnamespace AND relkind IN ('r', 'p', 'v', 'm', 'S')
            UNION ALL
            SELECT 'pg_proc'::regclass, oid, proowner, oid::regprocedure::text, 'ROUTINE'
              FROM pg_proc WHERE pronamespace = 'public'::regnamespace
            UNION ALL
            SELECT 'pg_type'::regclass, oid, typowner, oid::regtype::text, 'TYPE'
              FROM pg_type
             WHERE typnamespace = 'public'::regnamespace AND (typtype IN ('d', 'e', 'r')
                OR typtype = 'c' AND (SELECT relkind FROM pg_class WHERE oid = typrelid) = 'c')
        ) AS things
         WHERE owner <> {owner_name}::regrole
           AND NOT EXISTS (SELECT FROM pg_depend d WHERE d.classid = things.class AND d.objid = things.oid
                                                     AND d.objsubid = 0 AND d.deptype IN ('e', 'a', 'i'))
    LOOP
        EXECUTE format('ALTER %s OWNER TO {owner}', found.thing);
    END LOOP;
    -- Partitions do not go along with their table.
    FOR found IN
        SELECT 'SCHEMA ' || oid::regnamespace AS thing FROM pg_namespace WHERE nspname = 'activity_partitions'
        UNION ALL
        SELECT 'TABLE ' || oid::regclass FROM pg_class
         WHERE relnamespace = to_regnamespace('activity_partitions') AND relkind = 'r'
    LOOP
        EXECUTE format('ALTER %s OWNER TO {owner}', found.thing);
    END LOOP;
END $$;

-- The application: rows, and nothing that changes tables. Not even temporary ones.
REVOKE ALL ON DATABASE {database} FROM PUBLIC, {application};
REVOKE ALL ON SCHEMA public FROM PUBLIC, {application};
GRANT CONNECT ON DATABASE {database} TO {application};
GRANT USAGE ON SCHEMA public TO {application};
GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA public TO {application};
GRANT USAGE, SELECT ON ALL SEQUENCES IN SCHEMA public TO {application};
ALTER DEFAULT PRIVILEGES FOR ROLE {owner} IN SCHEMA public
    GRANT SELECT, INSERT, UPDATE, DELETE ON TABLES TO {application};
ALTER DEFAULT PRIVILEGES FOR ROLE {owner} IN SCHEMA public GRANT USAGE, SELECT ON SEQUENCES TO {application};
DO $$
BEGIN
    IF to_regclass('public.alembic_version') IS NOT NULL THEN
        REVOKE INSERT, UPDATE, DELETE ON public.alembic_version FROM {application};
    END IF;
END $$;

-- What a large import has filled is analysed right after it. PostgreSQL knows a right to this since version 17; before,
-- autovacuum alone does it.
DO $$
DECLARE
    name text;
BEGIN
    IF current_setting('server_version_num')::int >= 170000 THEN
        FOREACH name IN ARRAY ARRAY['bookmarks', 'bookmark_documents', 'bookmark_tags', 'tags', 'project_bookmarks'] LOOP
            IF to_regclass('public.' || name) IS NOT NULL THEN
                EXECUTE format('GRANT MAINTAIN ON TABLE public.%I TO %s', name, {application_name}::regrole);
            END IF;
        END LOOP;
    END IF;
END $$;
