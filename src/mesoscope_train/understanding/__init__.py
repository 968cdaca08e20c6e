"""What a network saw, for thousands of pictures and for its own neurons: means, editing evidence, sheets of neurons.

`means` averages maps and feature maps over a data set, `editing` measures how much of a map lies on parts that are
known to be edited, `neurons` shows kernels, filters and hidden units. What they share stands here: the opened bundle
(`subject`), its convolution layers (`layers`), the stream of pictures with landmarks (`seen`, `landmarks`), the parts
of a face (`regions`), intervals by group (`intervals`) and the page (`page`).
"""
