select
    stage,
    position,
    stage_label,
    stage_description
from (
    values
    ('site', 0, 'Whole site', 'Actions that belong to no page type'),
    ('home', 1, 'Home page', 'The first page and its promotions and navigation'),
    ('collection', 2, 'Collection', 'Lists of products: collections, categories, search results'),
    ('product', 3, 'Product page', 'One product, up to the moment it is put into the cart'),
    ('cart', 4, 'Cart', 'What was added, before the checkout'),
    ('checkout', 5, 'Checkout', 'Contact, delivery and payment'),
    ('outcome', 6, 'Order', 'The order itself')
) as stages (stage, position, stage_label, stage_description)
