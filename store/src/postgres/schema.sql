-- {ns} is the schema. Versions and fencing tokens come from one sequence, taken while the row is locked.
CREATE SCHEMA {ns};
CREATE TABLE {ns}.layout (version int NOT NULL);
INSERT INTO {ns}.layout VALUES (1);
CREATE SEQUENCE {ns}.seq;
CREATE TABLE {ns}.entry (
    key text COLLATE "C" PRIMARY KEY,
    value bytea NOT NULL,
    version bigint NOT NULL,
    expires timestamptz
);
CREATE INDEX entry_expires ON {ns}.entry (expires) WHERE expires IS NOT NULL;
CREATE TABLE {ns}.lease (
    name text COLLATE "C" PRIMARY KEY,
    holder text NOT NULL,
    token bigint NOT NULL,
    expires timestamptz NOT NULL
);

CREATE FUNCTION {ns}.after(ttl_us bigint) RETURNS timestamptz LANGUAGE sql VOLATILE AS $$
    SELECT clock_timestamp() + ttl_us * interval '1 microsecond'
$$;

-- False when a lease is named and not held. The lock keeps a newer holder out until this write is committed.
CREATE FUNCTION {ns}.may_write(a_lease text, a_token bigint) RETURNS boolean LANGUAGE plpgsql AS $$
BEGIN
    IF a_lease IS NULL THEN
        RETURN true;
    END IF;
    PERFORM 1 FROM {ns}.lease
        WHERE name = a_lease AND token = a_token AND expires > clock_timestamp() FOR SHARE;
    RETURN FOUND;
END $$;

-- The new version; NULL when the lease is not held.
CREATE FUNCTION {ns}.put(a_key text, a_value bytea, ttl_us bigint, a_lease text, a_token bigint)
RETURNS bigint LANGUAGE plpgsql AS $$
DECLARE
    new_version bigint;
BEGIN
    IF NOT {ns}.may_write(a_lease, a_token) THEN
        RETURN NULL;
    END IF;
    INSERT INTO {ns}.entry AS e VALUES (a_key, a_value, nextval('{ns}.seq'), {ns}.after(ttl_us))
        ON CONFLICT (key) DO UPDATE
        SET value = excluded.value, version = nextval('{ns}.seq'), expires = excluded.expires
        RETURNING e.version INTO new_version;
    PERFORM pg_notify('{ns}', a_key);
    RETURN new_version;
END $$;

-- True when the key was there; NULL when the lease is not held.
CREATE FUNCTION {ns}.remove(a_key text, a_lease text, a_token bigint) RETURNS boolean LANGUAGE plpgsql AS $$
BEGIN
    IF NOT {ns}.may_write(a_lease, a_token) THEN
        RETURN NULL;
    END IF;
    DELETE FROM {ns}.entry WHERE key = a_key AND (expires IS NULL OR expires > clock_timestamp());
    IF FOUND THEN
        PERFORM pg_notify('{ns}', a_key);
    END IF;
    RETURN FOUND;
END $$;

-- Locks the key's row until the end of the transaction, also when the key is absent: then an expired row stands for it.
CREATE FUNCTION {ns}.lock_key(a_key text) RETURNS {ns}.entry LANGUAGE plpgsql AS $$
DECLARE
    found_row {ns}.entry;
BEGIN
    LOOP
        SELECT * INTO found_row FROM {ns}.entry WHERE key = a_key FOR UPDATE;
        IF FOUND THEN
            RETURN found_row;
        END IF;
        INSERT INTO {ns}.entry VALUES (a_key, '', 0, '-infinity') ON CONFLICT (key) DO NOTHING;
    END LOOP;
END $$;

-- mode: absent, version, value. new_value NULL: remove. status: fenced, conflict, swapped.
CREATE FUNCTION {ns}.cas(a_key text, mode text, a_version bigint, a_value bytea, new_value bytea,
    ttl_us bigint, a_lease text, a_token bigint,
    OUT status text, OUT key text, OUT value bytea, OUT version bigint, OUT expires timestamptz)
LANGUAGE plpgsql AS $$
DECLARE
    old {ns}.entry;
    is_there boolean;
    is_expected boolean;
BEGIN
    IF NOT {ns}.may_write(a_lease, a_token) THEN
        status := 'fenced';
        RETURN;
    END IF;
    old := {ns}.lock_key(a_key);
    is_there := old.expires IS NULL OR old.expires > clock_timestamp();
    is_expected := (mode = 'absent' AND NOT is_there)
        OR (mode = 'version' AND is_there AND old.version = a_version)
        OR (mode = 'value' AND is_there AND old.value = a_value);
    IF is_expected IS NOT TRUE THEN
        status := 'conflict';
        IF is_there THEN
            key := old.key; value := old.value; version := old.version; expires := old.expires;
        ELSE
            DELETE FROM {ns}.entry AS e WHERE e.key = a_key;
        END IF;
        RETURN;
    END IF;
    status := 'swapped';
    IF new_value IS NULL THEN
        DELETE FROM {ns}.entry AS e WHERE e.key = a_key;
        version := 0;
    ELSE
        version := nextval('{ns}.seq');
        UPDATE {ns}.entry AS e SET value = new_value, version = cas.version, expires = {ns}.after(ttl_us)
            WHERE e.key = a_key;
    END IF;
    PERFORM pg_notify('{ns}', a_key);
END $$;

-- NULL when it is not a finite JSON number.
CREATE FUNCTION {ns}.number_of(a_value bytea) RETURNS float8 LANGUAGE plpgsql AS $$
BEGIN
    IF jsonb_typeof(convert_from(a_value, 'UTF8')::jsonb) = 'number' THEN
        RETURN convert_from(a_value, 'UTF8')::float8;
    END IF;
    RETURN NULL;
EXCEPTION WHEN OTHERS THEN
    RETURN NULL;
END $$;

-- sum is NULL when what is there (wrong) is not a number. PostgreSQL writes a float8 as the shortest text that reads back as the same.
CREATE FUNCTION {ns}.incr(a_key text, a_by float8, OUT sum float8, OUT wrong bytea) LANGUAGE plpgsql AS $$
DECLARE
    old {ns}.entry := {ns}.lock_key(a_key);
    is_there boolean := old.expires IS NULL OR old.expires > clock_timestamp();
    was float8 := 0;
BEGIN
    IF is_there AND old.value <> 'null' THEN
        was := {ns}.number_of(old.value);
        IF was IS NULL THEN
            wrong := old.value;
            RETURN;
        END IF;
    END IF;
    sum := was + a_by;
    IF sum = 0 THEN
        sum := 0; -- not -0
    END IF;
    UPDATE {ns}.entry AS e SET value = convert_to(sum::text, 'UTF8'), version = nextval('{ns}.seq'),
        expires = CASE WHEN is_there THEN old.expires END WHERE e.key = a_key;
    PERFORM pg_notify('{ns}', a_key);
END $$;

-- The lease is granted when token is not NULL; else holder, held_token and left_us tell who has it.
CREATE FUNCTION {ns}.acquire(a_name text, a_holder text, ttl_us bigint,
    OUT token bigint, OUT holder text, OUT held_token bigint, OUT left_us bigint)
LANGUAGE plpgsql AS $$
DECLARE
    old {ns}.lease;
BEGIN
    LOOP
        SELECT * INTO old FROM {ns}.lease WHERE name = a_name FOR UPDATE;
        EXIT WHEN FOUND;
        INSERT INTO {ns}.lease VALUES (a_name, a_holder, 0, '-infinity') ON CONFLICT (name) DO NOTHING;
    END LOOP;
    IF old.holder <> a_holder AND old.expires > clock_timestamp() THEN
        holder := old.holder;
        held_token := old.token;
        left_us := greatest(0, extract(epoch FROM old.expires - clock_timestamp()) * 1000000)::bigint;
        RETURN;
    END IF;
    token := nextval('{ns}.seq');
    UPDATE {ns}.lease AS l SET holder = a_holder, token = acquire.token, expires = {ns}.after(ttl_us)
        WHERE l.name = a_name;
END $$;

-- Takes away what expired; the watchers are told.
CREATE FUNCTION {ns}.sweep(a_limit int) RETURNS void LANGUAGE sql AS $$
    WITH old AS (
        SELECT key FROM {ns}.entry WHERE expires <= clock_timestamp() LIMIT a_limit FOR UPDATE SKIP LOCKED
    ), gone AS (
        DELETE FROM {ns}.entry USING old WHERE entry.key = old.key RETURNING entry.key
    )
    SELECT count(pg_notify('{ns}', key)) FROM gone;
    WITH old AS (
        SELECT name FROM {ns}.lease WHERE expires <= clock_timestamp() LIMIT a_limit FOR UPDATE SKIP LOCKED
    )
    DELETE FROM {ns}.lease USING old WHERE lease.name = old.name;
$$;
