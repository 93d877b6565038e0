"""What the office makes a trust list from: issuers' certificates and keys, taken apart here so that no gate has to. Plain:
no Django, no database, no network.
"""
