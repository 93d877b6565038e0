"""The credentials themselves: what a text says, and whether its issuer said so. Pure: keys and the time are arguments, no
directory, no policy but the site's rule, no network. `gateway.resolve` asks them and answers with a `Verdict`.
"""
