-- write
-- The clock and not the start of the transaction: rows appear moments after the time that they bear, however long the
-- transaction was, and a roll-up that waits a little misses none.
INSERT INTO activity (organization_id, user_id, type, object_type, object_id, data, request_id, created_at)
SELECT organization_id, user_id, type, object_type, object_id, CAST(data AS jsonb), :request_id, clock_timestamp()
  FROM unnest(CAST(:organizations AS bigint[]), CAST(:users AS bigint[]), CAST(:types AS text[]),
              CAST(:object_types AS text[]), CAST(:objects AS bigint[]), CAST(:data AS text[]))
    AS given(organization_id, user_id, type, object_type, object_id, data)
