-- Notices and counter events of the newer schema are lost.
ALTER TABLE dead_letter DROP COLUMN size;
DROP TABLE ingest_notice;
DROP TABLE redo_request;
DROP TABLE counter_event;
