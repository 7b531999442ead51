"""资料: the service behind the page of documents and photos, and its routes."""

from app.documents.routes import register_documents

__all__ = ["register_documents"]
