-- Documents and photos kept beside the readings: what is said of each, as a history, and the text found in each
-- file. The files themselves lie beside the store, named by their SHA-256. Decision record 0170.
CREATE TABLE document (
    no BIGINT NOT NULL,             -- microseconds since 1970 UTC when it was added; stays
    t TIMESTAMP NOT NULL,           -- when it stood so, UTC; the newest row of a number counts
    act VARCHAR NOT NULL,           -- added, changed, removed, restored
    who VARCHAR NOT NULL,           -- account; empty: this machine, without accounts
    title VARCHAR NOT NULL,
    note VARCHAR NOT NULL,
    tags VARCHAR[] NOT NULL,
    about VARCHAR[] NOT NULL,       -- device:ID, place:ID, point:ID, command:NO, finding:ID, incident:ID
    name VARCHAR NOT NULL,          -- of the file, as it was sent
    kind VARCHAR NOT NULL,          -- photo, drawing, paper, table, text
    media VARCHAR NOT NULL,         -- as it is served
    size BIGINT NOT NULL,           -- bytes
    sha256 VARCHAR NOT NULL,
    said VARCHAR NOT NULL           -- title, note, tags, names: in the form they are searched in
);
CREATE TABLE document_text (
    sha256 VARCHAR NOT NULL,
    text VARCHAR NOT NULL,          -- found in the file, in the form it is searched in (NFKC, small letters)
    pages INTEGER NOT NULL,         -- of a paper, sheets of a table; 0: has none
    width INTEGER NOT NULL,         -- of a picture, in pixels; 0: none
    height INTEGER NOT NULL,
    detail VARCHAR NOT NULL         -- why there is no text, or not all of it
);
