-- One row: the versions, the encoding, and the rights of the role that migrations need.
SELECT current_database() AS database, current_user AS role,
       current_setting('server_version_num')::int / 10000 AS server,
       current_setting('server_encoding') AS encoding,
       (SELECT extversion FROM pg_extension WHERE extname = 'vector') AS vector,
       (SELECT default_version FROM pg_available_extensions WHERE name = 'vector') AS available,
       EXISTS (SELECT FROM pg_available_extension_versions v
                WHERE name = 'vector' AND (SELECT rolsuper FROM pg_roles WHERE rolname = current_user)
                   OR name = 'vector' AND v.trusted AND has_database_privilege(current_database(), 'CREATE')
       ) AS may_extend,
       coalesce(has_schema_privilege(current_schema(), 'CREATE'), false) AS may_create,
       to_regclass('alembic_version') IS NOT NULL AS has_tables
