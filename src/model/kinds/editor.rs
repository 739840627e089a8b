//! JSON Schemas (draft-07, the newest that editors read) of the kinds that
//! people write, and of `carrier.yaml`. They lie in `schemas/`.
