//! The room `dossier`.
