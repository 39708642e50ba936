"""The numbers of the pages for programs, under `/api/v1/`: read only, the same guard, the same answers.

asked.py        a query string, checked: what is wrong with it is said in a sentence
kinds.py        the types of items that only the API has
endpoints.py    the table of addresses: what each gives and how it is asked
routes.py       the one route: JSON or CSV, bounded, with a version
document.py     the OpenAPI description, written from the types
"""
