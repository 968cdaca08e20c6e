"""A support vector machine on a detector's features: fitted by scikit-learn, kept and exported as plain numbers.

`fitting` chooses and fits it from features alone, `features` gets them, `step` is what a run does, `reference` keeps
what scikit-learn itself answered, against which the exported graph is held.
"""
